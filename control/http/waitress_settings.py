"""How much the server of the control API takes on, as settings of waitress."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from bundlevisor.control.boot.early_socket import BACKLOG
from bundlevisor.control.http.waitress_parts import Adjustments
from bundlevisor.control.wire.json_body import BODY_LIMIT

if TYPE_CHECKING:
    import socket

CONNECTIONS = 256
"""So many at once; Windows' select takes 512, macOS gives a process 256 files unless told."""
SELECTABLE = 1024
"""So many descriptors macOS' select(2) takes: those of connections are higher in a big bundle."""
RECEIVED = 8192
"""Bytes that are read at once."""
HEADER_LIMIT = 16 * 1024
STREAM_BACKLOG = 256 * 1024
"""Bytes of a stream that wait for a slow reader before its source is no longer read."""
IN_MEMORY = 1 << 30
"""Nothing is spooled to a temporary file: bodies may be secrets."""


class Handed(Adjustments):
    """Settings for a socket that listens already: no host is looked up, which takes 3 ms."""

    listen: ClassVar[list[str]] = []


def adjustments(listener: socket.socket) -> Adjustments:
    """Return waitress's settings for a socket that listens."""
    settings: dict[str, Any] = {
        "sockets": [listener],
        "ident": "",
        "backlog": BACKLOG,
        "recv_bytes": RECEIVED,
        "log_socket_errors": False,
        "max_request_header_size": HEADER_LIMIT + 1,  # what it refuses
        "max_request_body_size": BODY_LIMIT + 1,
        "inbuf_overflow": IN_MEMORY,
        "outbuf_overflow": IN_MEMORY,
        "outbuf_high_watermark": STREAM_BACKLOG,
        "clear_untrusted_proxy_headers": False,
        # macOS' poll(2) hangs up on who has no more to send, and is still to be answered
        # (poll_callback in xnu's sys_generic.c); beyond SELECTABLE that is all there is.
        "asyncore_use_poll": sys.platform != "darwin",
    }
    return Handed(**settings)


if sys.platform == "win32":

    def files_for_connections() -> int:
        """Return how many connections there may be: Windows has no limit on open files."""
        return CONNECTIONS

else:

    def files_for_connections() -> int:
        """Return how many connections the limit on open files leaves room for: half of it."""
        # Not by getrlimit(2), which a sandbox may refuse: this answers then as well.
        limit = os.sysconf("SC_OPEN_MAX")
        return CONNECTIONS if limit < 0 else max(16, limit // 2)
