"""Serves on the socket that it was handed in the manner of sd_listen_fds(3), or exits with 1."""

from __future__ import annotations

import _socket
import os

from tests.programs.observed import leave, record, serve_on, start

FIRST = 3  # SD_LISTEN_FDS_START


def main() -> None:
    start()
    handed = int(os.environ.get("LISTEN_FDS", "0"))
    meant = os.environ.get("LISTEN_PID", "")
    record("handed", fds=handed, pid_meant=meant, names=os.environ.get("LISTEN_FDNAMES", ""))
    if not handed or meant != str(os.getpid()):
        leave(1)
    server = _socket.socket(fileno=FIRST)
    record("listening", port=server.getsockname()[1])
    serve_on(server)
