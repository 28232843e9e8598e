"""Which processes belong to a service, on POSIX: its session, and what escaped from it.

A process that left the session (setsid, double fork) is found by the mark in its environment. On
Linux the runtime is the subreaper of everything it spawned (prctl(2), PR_SET_CHILD_SUBREAPER), so
an escaped process whose parent has ended is a child of the runtime: while the group is empty and
the runtime has no children that it does not know, nothing is left, and no scan is needed.

A stranger is an adopted child without any mark (it cleared its environment). It belongs to the
only tree that was there when it was born; if there were several, it is ended with the bundle.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from actors.process import table
from actors.table.found import Found

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

Member = tuple[int, float]
"""A pid, and the create time that tells it from a later process with the same pid."""

_known: set[int] = set()
"""Children that somebody here waits for; any other child was adopted."""

_trees: dict[int, tuple[float, str]] = {}
"""The leaders of the trees that may still have members: create time, and the mark of the start."""

spawning = threading.Lock()
"""Held from a fork until the child is known, so that nobody takes it for an adopted one."""


def know(pid: int) -> None:
    """Say that somebody waits for this child of the runtime."""
    _known.add(pid)


def plant(leader: int, created: float, instance: str) -> None:
    """Say that a tree begins with this child, and which mark its processes carry."""
    _trees[leader] = (created, instance)


def fell(leader: int) -> None:
    """Say that nothing is left of a tree."""
    _trees.pop(leader, None)


def unknow(pid: int) -> None:
    """Say that this child has been reaped."""
    _known.discard(pid)


def survivors(leader: int, instance: str, *, reaped: bool, adopting: bool) -> list[Member]:
    """Return the living processes of a tree.

    ``reaped`` says that its leader has been waited for, ``adopting`` that the runtime was the
    subreaper already when it was spawned, so that nothing of it can be anybody else's child.
    """
    if reaped and adopting and not _group_lives(leader) and not adopted():
        return []
    return [*_roll.members(leader, instance), *_strangers_of(leader)]


def _strangers_of(leader: int) -> list[Member]:
    return [
        (pid, born)
        for pid, born in strangers()
        if [other for other, (planted, _) in list(_trees.items()) if planted <= born] == [leader]
    ]


class RollCall:
    """Who is there, found by one walk through all processes for everybody who asks meanwhile.

    A walk takes milliseconds, and a bundle that stops asks for every service at once: who comes
    while one is under way waits for the next, which serves all that came.
    """

    def __init__(self) -> None:
        self._walking = threading.Lock()
        self._began = 0.0
        self._found: list[Found] = []

    def members(self, leader: int, instance: str) -> list[Member]:
        """Return what lives in the session of a planted tree, or carries its mark, by now."""
        asked = time.monotonic()
        with self._walking:
            if self._began < asked:
                self._walk()
            found = self._found
        return [
            (process.pid, process.created)
            for process in found
            if process.session == leader or (instance and process.mark == instance)
        ]

    def _walk(self) -> None:
        self._began = time.monotonic()
        trees = dict(_trees)
        marks = tuple({mark for _, mark in trees.values() if mark})
        self._found = table.census(marks, trees)


_roll = RollCall()


def strangers() -> list[Member]:
    """Return the adopted children, alive, that carry no mark at all."""
    found = [
        (pid, born)
        for pid in adopted()
        if not table.mark_of(pid) and (born := table.created(pid)) is not None
    ]
    return [(pid, born) for pid, born in found if table.alive(pid, born)]


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def adopted() -> list[int]:
    """Return the runtime's children that nobody waits for: whatever escaped from a tree.

    The kernel gives orphans to the subreaper's first living thread (find_new_reaper in Linux'
    kernel/exit.c), which is the main one.
    """
    return (
        [pid for pid in _children_of(os.getpid()) if pid not in _known] if Adoption.active else []
    )


class Adoption:
    """Whether orphans of the services become children of the runtime."""

    active = False


def adopt_orphans() -> bool:
    """Become the subreaper of everything that is spawned from now on; False when refused. Linux."""
    import ctypes

    pr_set_child_subreaper = 36
    libc = ctypes.CDLL(None, use_errno=True)
    Adoption.active = libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0
    return Adoption.active


def children() -> list[int]:
    """Return the pids of the runtime's own children, zombies included (proc(5), children)."""
    return [pid for thread in os.listdir("/proc/self/task") for pid in _children_of(thread)]


def _children_of(thread: str | int) -> list[int]:
    try:
        with open(f"/proc/self/task/{thread}/children", "rb", buffering=0) as file:
            return list(map(int, file.read().split()))
    except OSError:
        return []


def reap_adopted() -> int:
    """Reap the adopted children that have ended; never one that somebody waits for."""
    reaped = 0
    with spawning:
        for pid in adopted():
            reaped += _reap(pid)
    return reaped


def _reap(pid: int) -> bool:
    try:
        done, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return bool(done)
