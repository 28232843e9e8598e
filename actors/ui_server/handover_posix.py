"""Handing descriptors over on POSIX: as rights on the control pipe, which is a Unix socket."""

from __future__ import annotations

import os
import socket
import sys

from bundlevisor.actors.ui_server import commands

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

ONE = b"\0"
"""Rights travel with a byte at least."""


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
    with _socket(control) as pipe:
        socket.send_fds(pipe, [ONE], fds)


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
