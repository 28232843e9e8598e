"""Which process is at the other end of a connection from this machine: for the record of who asked.

Linux tells it: /proc/net/tcp has the user and the inode of each socket, and /proc/PID/fd who holds
it, where we may look (a process of this user's whose memory is not hidden). Elsewhere nothing is
known. Takes some milliseconds: not for a loop.
"""

from __future__ import annotations

import sys

import msgspec

Address = tuple[str, int]
NOBODY = -1
"""In place of a user: the connection's other end has been closed, and the system shows root's."""


class Caller(msgspec.Struct, frozen=True, omit_defaults=True):
    """The user of the socket, and the process that holds it; 0 and empty when that is not known."""

    uid: int
    pid: int = 0
    program: str = ""


if sys.platform == "linux":
    import contextlib
    import socket

    from bundlevisor.actors.probes.port_owner import holder

    def caller(port: int, ours: int) -> Caller | None:
        """Return who has connected from ``port`` to ``ours``, both on loopback."""
        found = _socket(f":{port:04X}", f":{ours:04X}")
        return None if found is None else _described(*found)

    def caller_uid(theirs: Address, ours: Address) -> int | None:
        """Return the user who has; no process is looked for, which is what takes long.

        Whole addresses: from another one of 127.0.0.0/8 the same port may be another user's.
        """
        found = _socket(_text(theirs), _text(ours))
        if found is None:
            return None
        uid, inode = found
        return uid if inode else NOBODY

    def _socket(theirs: str, ours: str) -> tuple[int, int] | None:
        """Return the user and the inode of the other end's socket, by how its addresses end."""
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(OSError), open(f"/proc/net/{table}", encoding="utf-8") as file:
                for line in file:
                    fields = line.split()
                    if fields[1].endswith(theirs) and fields[2].endswith(ours):
                        return int(fields[7]), int(fields[9])
        return None

    def _text(address: Address) -> str:
        """Return an address as the tables have it: ``0100007F:1F90``, each word as in memory.

        One of IPv4 is also the end of the same one in IPv6 (``::ffff:127.0.0.1``).
        """
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        packed = socket.inet_pton(family, address[0])
        words = (packed[at : at + 4] for at in range(0, len(packed), 4))
        host = "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
        return f"{host}:{address[1]:04X}"

    def _described(uid: int, inode: int) -> Caller:
        found = holder(inode) if inode else None
        return Caller(uid, found.pid, found.name) if found else Caller(uid)

else:

    def caller(port: int, ours: int) -> Caller | None:  # noqa: ARG001
        """Return that nothing is known."""
        return None

    def caller_uid(theirs: Address, ours: Address) -> int | None:  # noqa: ARG001
        """Return that nothing is known."""
        return None
