"""Which process is at the other end of a connection from this machine: for the record of who asked.

Linux tells it: /proc/net/tcp has the user and the inode of each socket, and /proc/PID/fd who holds
it, where we may look (a process of this user's whose memory is not hidden). Elsewhere nothing is
known. Takes some milliseconds: not for a loop.
"""

from __future__ import annotations

import sys

import msgspec


class Caller(msgspec.Struct, frozen=True, omit_defaults=True):
    """The user of the socket, and the process that holds it; 0 and empty when that is not known."""

    uid: int
    pid: int = 0
    program: str = ""


if sys.platform == "linux":
    import contextlib

    from bundlevisor.actors.probes.port_owner import holder

    def caller(port: int, ours: int) -> Caller | None:
        """Return who has connected from ``port`` to ``ours``, both on loopback."""
        found = _socket(port, ours)
        return None if found is None else _described(*found)

    def caller_uid(port: int, ours: int) -> int | None:
        """Return the user who has; no process is looked for, which is what takes long."""
        found = _socket(port, ours)
        return None if found is None else found[0]

    def _socket(port: int, ours: int) -> tuple[int, int] | None:
        """Return the user and the inode of the other end's socket."""
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(OSError), open(f"/proc/net/{table}", "rb") as file:
                for line in file:
                    fields = line.split()
                    if _port(fields[1]) == port and _port(fields[2]) == ours:
                        return int(fields[7]), int(fields[9])
        return None

    def _port(address: bytes) -> int:
        """Return the port of ``0100007F:1F90``; -1 for the heading."""
        try:
            return int(address.rpartition(b":")[2], 16)
        except ValueError:
            return -1

    def _described(uid: int, inode: int) -> Caller:
        found = holder(inode) if inode else None
        return Caller(uid, found.pid, found.name) if found else Caller(uid)

else:

    def caller(port: int, ours: int) -> Caller | None:  # noqa: ARG001
        """Return that nothing is known."""
        return None

    def caller_uid(port: int, ours: int) -> int | None:  # noqa: ARG001
        """Return that nothing is known."""
        return None
