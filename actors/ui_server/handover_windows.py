"""Handing handles over on Windows: duplicated into the process whose pid is known, then named."""

from __future__ import annotations

import _winapi
import msvcrt
import os
import socket
import sys

import msgspec

from bundlevisor.actors.ui_server import commands

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only


class _Handed(msgspec.Struct, frozen=True):
    """What is the server's by now: a handle of its own, and a socket shared with it alone."""

    output: int
    listener: bytes | None


_decode = msgspec.json.Decoder(_Handed).decode


def hand_over(
    control: commands.Pipe, pid: int, listener: socket.socket | None, output: int
) -> None:
    """Name the log's handle and the socket, if there is one; OSError.

    The socket must stay open here until its arrival is told (WSADuplicateSocket).
    """
    server = _winapi.OpenProcess(_winapi.PROCESS_DUP_HANDLE, False, pid)
    try:
        handle = _winapi.DuplicateHandle(
            _winapi.GetCurrentProcess(),
            msvcrt.get_osfhandle(output),
            server,
            0,
            False,
            _winapi.DUPLICATE_SAME_ACCESS,
        )
    finally:
        _winapi.CloseHandle(server)
    shared = None if listener is None else listener.share(pid)
    control.send_bytes(commands.encode(_Handed(int(handle), shared)))


def take_over(control: commands.Pipe) -> tuple[socket.socket | None, int]:
    """Return socket and log's descriptor, neither inheritable; EOFError, OSError."""
    handed = _decode(control.recv_bytes())
    flags = os.O_WRONLY | os.O_BINARY | os.O_NOINHERIT
    output = msvcrt.open_osfhandle(handed.output, flags)
    return (None if handed.listener is None else socket.fromshare(handed.listener)), output
