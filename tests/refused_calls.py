"""Run a command under a filter that refuses a system call, as sandboxes have them (Linux)."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"memfd_create": 319, "prlimit": 302},
    "aarch64": {"memfd_create": 279, "prlimit": 261},
}.get(platform.machine() if sys.platform == "linux" else "", {})
"""Of the calls on this machine; empty where they are not known."""
NO_NEW_PRIVS, SECCOMP, FILTER = 38, 22, 2  # prctl(2)
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # seccomp(2): of classic BPF
REFUSE, ALLOW = 0x00050000 | errno.EPERM, 0x7FFF0000


class Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refusing(call: str) -> list[str]:
    """Return what to put before a command that is to run without this system call."""
    return [sys.executable, __file__, str(NUMBERS[call])]


def main(number: str, *command: str) -> None:
    """Become the command."""
    steps = ((LOAD, 0, 0, 0), (EQUAL, 0, 1, int(number)), (RETURN, 0, 0, REFUSE))
    code = b"".join(struct.pack("=HBBI", *step) for step in (*steps, (RETURN, 0, 0, ALLOW)))
    kept = ctypes.create_string_buffer(code)
    program = Program(len(steps) + 1, ctypes.addressof(kept))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(SECCOMP, FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "no filter could be set")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
