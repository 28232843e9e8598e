"""Which processes belong to a service, on POSIX: its session, and what escaped from it.

On Linux the runtime is the subreaper of everything it spawned (prctl(2), PR_SET_CHILD_SUBREAPER),
from before the first spawn: a process of a tree is a descendant of its leader, or of a child of the
runtime that it adopted. An adopted child says by its rlimit mark
(:mod:`bundlevisor.actors.process.table.rlimit_mark`) which start it came out of, whatever it did;
where these are forbidden, by its session or its mark. While the group is empty and the runtime has
no children that it does not know, nothing is left. What a walk costs depends on the trees, and not
on what else runs on the machine.

An unmarked orphan is an adopted child with neither (it cleared its environment). It belongs to the
only tree that was there when it was born; if there were several, it is ended with the bundle. As a
container's init the runtime adopts strangers too, run in it from outside: there it is of no tree.

Without a subreaper (macOS) a tree is its session and what carries its mark, wherever it is.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from contextlib import suppress

from bundlevisor.actors.process import table
from bundlevisor.actors.process.table.found import LOOKS, Found, session_of
from bundlevisor.actors.process.table.own_process import Adoption
from bundlevisor.actors.process.table.rlimit_mark import SerialOfStart, serial_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

Member = tuple[int, float]
"""A pid, and the create time that tells it from a later process with the same pid."""

_known: set[int] = set()
"""Children that somebody here waits for; any other child was adopted."""

_trees: dict[int, tuple[float, str]] = {}
"""The leaders of the trees that may still have members: create time, and the mark of the start."""

_serials: dict[int, int] = {}
"""The numbers of these starts, which are in what came out of them."""

_nobodys: set[Member] = set()
"""Unmarked orphans that were there when a tree ended to which they could have belonged as well."""

spawning = threading.RLock()
"""Held from a fork until the child is known, so that nobody takes it for an adopted one."""


def register_child(pid: int) -> None:
    """Say that somebody waits for this child of the runtime."""
    _known.add(pid)


def add_tree(leader: int, created: float, instance: str, serial: int = 0) -> None:
    """Say that a tree begins with this child, and which mark and number its processes carry."""
    _trees[leader] = (created, instance)
    _serials[leader] = serial
    SerialOfStart.in_use.add(serial)


def remove_tree(leader: int) -> None:
    """Say that nothing is left of a tree, and leave no zombie of it: a pid file may name one.

    An unmarked orphan that was born in its time, and is still there, is not its own then. Whose it
    is cannot be said any more, also when only one other tree is left.
    """
    begun, _ = _trees.pop(leader, (None, ""))
    SerialOfStart.in_use.discard(_serials.pop(leader, 0))
    if begun is None or not Adoption.active:
        return
    reap_adopted()
    orphans = {(pid, born) for pid in adopted() if (born := table.created(pid)) is not None}
    _nobodys.intersection_update(orphans)
    _nobodys.update(orphan for orphan in orphans if orphan[1] >= begun)


def is_known(pid: int) -> bool:
    """Whether somebody waits for this child of the runtime."""
    return pid in _known


def unregister_child(pid: int) -> None:
    """Say that this child has been reaped."""
    _known.discard(pid)


class TreeStart:
    """The start of a tree: within the block the child is forked, and made known.

    What is forked carries ``serial``, as does all that comes out of it.
    """

    def __init__(self) -> None:
        self._serial = SerialOfStart()
        self.serial = 0

    def __enter__(self) -> TreeStart:
        spawning.acquire()
        self.serial = self._serial.__enter__().serial
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._serial.__exit__(kind, error, trace)
        spawning.release()


def survivors(leader: int, instance: str, serial: int, *, reaped: bool) -> list[Member]:
    """Return the living processes of a tree; ``reaped`` says that its leader was waited for.

    Where this process has no descriptor to look by, the leader counts as one of them: nobody can
    tell that nothing is left.
    """
    if not Adoption.active:
        return _scan.members(leader, instance)
    try:
        return _living(leader, instance, serial, reaped=reaped)
    except OSError:
        return [(leader, 0.0)]


def _living(leader: int, instance: str, serial: int, *, reaped: bool) -> list[Member]:
    """Raises OSError as :func:`_unknown_children`.

    What is adopted may end before it is asked for its children, which are then adopted in its
    place: nothing is left when a look finds nobody new.
    """
    looked_at: set[int] = set()
    for _ in range(LOOKS):
        if looked_at:
            reap_adopted()
        orphans = _unknown_children()
        if reaped and not orphans and not _group_lives(leader):
            return []
        roots = [] if reaped else [leader]
        roots += [pid for pid in orphans if _came_out_of(pid, leader, instance, serial)]
        members = ((pid, table.created(pid)) for pid in _with_descendants(roots))
        living = [(p, born) for p, born in members if born is not None and table.alive(p, born)]
        if living or looked_at.issuperset(roots):
            return living
        looked_at.update(roots)
    return [(pid, 0.0) for pid in roots]


def _came_out_of(pid: int, leader: int, instance: str, serial: int) -> bool:
    """Whether an adopted child belongs to this tree."""
    carried = serial_of(pid)
    if carried and serial:
        return carried == serial
    if session_of(pid) == leader:
        return True
    mark = table.mark_of(pid)
    if mark:
        return mark == instance
    born = table.created(pid)
    if born is None or (pid, born) in _nobodys or os.getpid() == 1:  # init
        return False
    trees = list(_trees.items())
    return [t for t, (begun, _) in trees if begun <= born] == [leader]


def _with_descendants(pids: list[int]) -> list[int]:
    """Return these processes and all that they have started, without what was orphaned since."""
    found = list(dict.fromkeys(pids))
    for pid in found:  # it grows meanwhile
        found += [child for child in _children_of_all_threads(pid) if child not in found]
    return found


class ProcessScan:
    """Who is there, found by one walk through all processes for everybody who asks meanwhile.

    A walk takes milliseconds, and a bundle that stops asks for every service at once: who comes
    while one is under way waits for the next, which serves all that came.
    """

    def __init__(self) -> None:
        self._walking = threading.Lock()
        self._began = 0.0
        self._found: list[Found] = []

    def members(self, leader: int, instance: str) -> list[Member]:
        """Return what lives in the session of a tree, or carries its mark, by now."""
        if not instance:  # a health command, twice a second: marks take a hundred times as long
            return [(found.pid, found.created) for found in table.census("", {leader})]
        asked = time.monotonic()
        with self._walking:
            if self._began < asked:
                self._walk()
            found = self._found
        return [
            (process.pid, process.created)
            for process in found
            if process.session == leader or process.mark == instance
        ]

    def _walk(self) -> None:
        self._began = time.monotonic()
        trees = dict(_trees)
        marks = tuple({mark for _, mark in trees.values() if mark})
        self._found = table.census(marks, trees)


_scan = ProcessScan()


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
    if not Adoption.active:
        return []
    try:
        return _unknown_children()
    except OSError:
        return []


def _unknown_children() -> list[int]:
    """Raises OSError for want of a descriptor, as all that follows."""
    with spawning:
        return [pid for pid in _children_of(os.getpid(), os.getpid()) if pid not in _known]


class StartedHere:
    """The children of the calling thread, zombies included (proc(5), children).

    One descriptor for every look, so that what has been started meanwhile is seen also where no
    other is left. OSError where there is none to begin with.
    """

    def __enter__(self) -> StartedHere:
        path = f"/proc/self/task/{threading.get_native_id()}/children"
        listed = os.path.exists(path)  # not by gVisor, where nothing is adopted either
        self._file = open(path if listed else os.devnull, "rb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def pids(self) -> set[int]:
        """Return those that there are now."""
        self._file.seek(0)
        return set(map(int, self._file.read().split()))


def _children_of_all_threads(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError as error:
        return _nobody(error)
    return [child for thread in threads for child in _children_of(pid, thread)]


def _children_of(pid: int, thread: str | int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
            return list(map(int, file.read().split()))
    except OSError as error:
        return _nobody(error)


def _nobody(error: OSError) -> list[int]:
    """Return the children of a process that is gone; raise an error that says nothing of it."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        raise error
    return []


def reap_adopted() -> None:
    """Reap the adopted children that have ended; never one that somebody waits for."""
    with spawning:
        for pid in adopted():
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
