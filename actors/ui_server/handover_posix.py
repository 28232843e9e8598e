"""Handing descriptors over on POSIX: as rights on the control pipe, which is a Unix socket."""

from __future__ import annotations

import os
import socket
import sys
import time

from bundlevisor.actors.ui_server import commands

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

ONE = b"\0"
"""Rights travel with a byte at least."""

SPACE_WITHIN = 1.0
"""Seconds for the server to read what is in the pipe, where that leaves no space for them."""
AGAIN_AFTER = 0.005
"""Seconds between two tries."""


def hand_over(
    control: commands.Pipe,
    pid: int,  # noqa: ARG001 - the same on every platform
    listener: socket.socket | None,
    output: int,
) -> None:
    """Send the log's descriptor and the socket, if there is one; OSError.

    What was sent is kept open here until its arrival is told: macOS loses what is on its way.
    """
    fds = [output] if listener is None else [output, listener.fileno()]
    latest = time.monotonic() + SPACE_WITHIN
    with _socket(control) as pipe:
        while not _sent(pipe, fds, latest):
            time.sleep(AGAIN_AFTER)


def _sent(pipe: socket.socket, fds: list[int], latest: float) -> bool:
    """Whether the system takes them by now; OSError when it never will, or not by ``latest``."""
    try:
        socket.send_fds(pipe, [ONE], fds)
    except OSError as error:
        from bundlevisor.actors.guardian.channel_posix import NOT_NOW

        if error.errno not in NOT_NOW or time.monotonic() > latest:
            raise
        return False
    return True


def take_over(control: commands.Pipe) -> tuple[socket.socket | None, int]:
    """Return socket and log's descriptor, neither inheritable; EOFError, OSError."""
    with _socket(control) as pipe:
        said, fds, _, _ = socket.recv_fds(pipe, len(ONE), 2)
    if not said or not fds:
        raise EOFError
    for fd in fds:
        os.set_inheritable(fd, False)
    listener = socket.socket(fileno=fds[1]) if len(fds) > 1 else None
    return listener, fds[0]


def _socket(control: commands.Pipe) -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=os.dup(control.fileno()))
