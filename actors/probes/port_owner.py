"""Who listens on a service's port in its place: a program that was there first, or came between.

Its health answers make the service look ready. Linux alone can tell: sock_diag(7) has the inode of
the socket that takes connections to a port, and /proc/PID/fd who holds it. Where a process must not
be read (another user's: the proxy of a container, a system's socket activation) nothing is said.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable

import msgspec

INODE = 68
"""Where struct inet_diag_msg has the inode."""


class Owner(msgspec.Struct, frozen=True):
    """A process that has a socket open."""

    pid: int
    name: str


def impostor(port: int, leader: int, members: Callable[[], Iterable[int]]) -> Owner | None:
    """Return who listens on a port if it is none of a service's processes; None in any doubt.

    ``leader`` is looked at first, ``members`` (the rest of its tree) only when it does not listen
    itself.
    """
    inode = _listener(port)
    try:
        if not inode or _holds(leader, inode):
            return None
        if any(_holds(pid, inode) for pid in members()) or _listener(port) != inode:
            return None
    except OSError:
        return None
    return holder(inode)


def holder(inode: int) -> Owner | None:
    """Return a process that has this socket open and may be looked at; None in any doubt."""
    try:
        pids = _all()
    except OSError:  # no descriptor to look by
        return None
    for pid in pids:
        try:
            if _holds(pid, inode):
                return Owner(pid, _name(pid))
        except OSError:
            continue
    return None


def _listener(port: int) -> int:
    """Return the inode of the socket that takes connections to the port; 0 when nobody can say."""
    from bundlevisor.actors.probes.sock_diag import (
        HEADER,
        SOCK_DIAG_BY_FAMILY,
        netlink,
        question,
    )

    try:
        with netlink() as link:
            link.send(question(port))
            answer = link.recv(4096)
    except OSError:
        return 0
    if HEADER.unpack_from(answer)[1] != SOCK_DIAG_BY_FAMILY:
        return 0
    return int(struct.unpack_from("=I", answer, HEADER.size + INODE)[0])


def _holds(pid: int, inode: int) -> bool:
    """Whether a process has the socket open; OSError when it is gone or must not be read."""
    folder, wanted = f"/proc/{pid}/fd", f"socket:[{inode}]"
    for descriptor in os.listdir(folder):
        try:
            if os.readlink(f"{folder}/{descriptor}") == wanted:
                return True
        except FileNotFoundError:  # closed meanwhile
            continue
    return False


def _all() -> Iterable[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _name(pid: int) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()
