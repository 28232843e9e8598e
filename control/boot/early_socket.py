"""The control socket listens before anything slow is imported: a shell is never refused for long.

Only what comes with the interpreter is used, and only the plain case is served: a manifest that is
valid JSON, a literal IPv4 loopback address, a free port. In every other case nothing is done here
and :mod:`bundlevisor.control.boot.ipc_socket` decides, with all the words for what is wrong.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BACKLOG = 4096
"""So many may wait to be accepted, where the system has no lower limit: where they are too many,
Linux lets a client wait for a second before it tries again."""
LIMIT = 1024 * 1024
"""The largest manifest, in bytes, that is worth reading twice."""

_early: Any = None


def listen(argv: list[str]) -> None:
    """Listen for a command line that runs a bundle; the socket waits for :func:`take`."""
    global _early  # noqa: PLW0603 - one process, one early socket
    try:
        ipc = _parse(_manifest(argv))["ipc"]
        if ipc["host"] == "127.0.0.1":
            _early = _bound(ipc["port"])
    except Exception:  # noqa: BLE001 - whatever is wrong with it is said once, by bundlevisor.manifest.read.load
        return


def is_listening() -> bool:
    """Whether the early socket is there."""
    return _early is not None


def take(host: str, port: int) -> int | None:
    """Return the descriptor of the early socket if it is the one wanted; close any other."""
    global _early
    early, _early = _early, None
    if early is None:
        return None
    if early.getsockname() == (host, port):
        return int(early.detach())
    early.close()
    return None


def _manifest(argv: list[str]) -> str:
    """Return the manifest that the command line names, however the flag is written."""
    for place, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in ("--manifest", "-manifest"):
            return value if equals else argv[place + 1]
    return "bundle.json"


def _bound(port: int) -> Any:
    import _socket

    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    option = "SO_EXCLUSIVEADDRUSE" if sys.platform == "win32" else "SO_REUSEADDR"
    try:
        sock.setsockopt(_socket.SOL_SOCKET, getattr(_socket, option), 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _parse(path: str) -> Any:
    """Parse JSON with the scanner that the json package itself runs on (3 ms less).

    Raises what that scanner raises, SystemError included: its words for bad JSON are in a module
    that is not imported here.
    """
    import _json

    with open(path, "rb", opener=_open_at_once) as file:
        source = file.read(LIMIT + 1)
    if len(source) > LIMIT:
        raise ValueError(path)
    scanner: Any = _json.make_scanner
    return scanner(_Scanning())(source.decode().lstrip(), 0)[0]


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the writer of a named pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class _Scanning:
    """What json.JSONDecoder tells its scanner."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float

    def __init__(self) -> None:
        self.memo: dict[str, str] = {}
