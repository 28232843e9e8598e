"""What an earlier instance on the same app-data left behind is ended before anything is spawned.

The guardian leaves nothing; this is for the day when it was killed together with its runtime, and
for a runtime that starts while the guardian of the last one is still at work.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from bundlevisor.actors.files import atomic, instance
from bundlevisor.actors.files.instance import Processes
from bundlevisor.actors.loop.working_time import SLICE, WorkingTime
from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import control_group
from bundlevisor.actors.process.table.found import (
    GRACE_S,
    GUARDIAN_S,
    KILL_AGAIN_S,
    UNKILLABLE_S,
    Found,
    session_of,
)
from bundlevisor.actors.process.table.rlimit_mark import has_rlimit_mark, rlimit_marked
from bundlevisor.manifest.format.variables import MARK, mark_prefix

if sys.platform == "win32":
    from bundlevisor.actors.process.table.exit_watch_windows import ExitWatch
else:
    from bundlevisor.actors.process.table.exit_watch import ExitWatch

_Key = tuple[int, float]
PATIENCE_S = GUARDIAN_S + UNKILLABLE_S
"""Seconds for the guardian of an earlier instance, which gives the services their graces."""

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
GO_ON = getattr(signal, "SIGCONT", None)


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """How many processes were found, ended when asked, and had to be killed; others are left."""

    instance_id: str
    found: int = 0
    stopped: int = 0
    killed: int = 0


def sweep(
    app_data: str,
    report: Callable[[str], object] = atomic.unheard,
    announce: Callable[[str], object] = atomic.unheard,
    *,
    grace_s: float = GRACE_S,
    guardian_s: float = PATIENCE_S,
) -> Swept | None:
    """End what is left of the instance on record; None when there is no record (20 us).

    Called with the instance lock held. First it waits, at most ``guardian_s``, for the guardian of
    that instance, which may be about to stop the services in their order. Then all are asked at
    once, leaders before what they have forked, and killed after ``grace_s``. A process is touched
    only if it carries either mark of that instance, or is in the session of a service on record
    together with one that does: a pid and a start time alone may be somebody else's after a reboot.
    ``report`` hears of a record that could not be used, ``announce`` of a guardian that is waited
    for.
    """
    record, trouble = atomic.read_or_set_aside(instance.path(app_data), _parse)
    if trouble:
        report(trouble)
    if record is None or table.alive(record.pid, record.created):
        return None
    watch = ExitWatch()
    try:
        first = (record.guardian_pid, record.guardian_created)
        # The one in reserve acts if that one has died.
        reserve = (record.reserve_pid, record.reserve_created)
        _wait_for(watch, [first, reserve], announce, guardian_s)
        return _end(watch, record, grace_s)
    finally:
        watch.close()


def _parse(data: bytes) -> Processes:
    return msgspec.json.decode(data, type=Processes)


def await_guardian(pid: int, created: float, announce: Callable[[str], object]) -> None:
    """Wait for the end of a guardian whose instance was killed before it was on record."""
    watch = ExitWatch()
    try:
        _wait_for(watch, [(pid, created)], announce, PATIENCE_S)
    finally:
        watch.close()


def _wait_for(
    watch: ExitWatch, guardians: list[_Key], announce: Callable[[str], object], patience: float
) -> None:
    """Wait for the end of them, in turn.

    One may stand still: then it is woken, which does no harm to whoever it might be by now.
    """
    clock = WorkingTime()  # what has held us up has held up the guardian as well
    deadline = clock.now() + patience
    at_work = [one for one in guardians if one[0] and watch.add(*one)]
    for pid, _ in at_work[:1]:
        announce(f"waiting for the guardian of an earlier instance (pid {pid}) to stop it")
    for pid, created in at_work:
        if GO_ON is not None:
            with suppress(PermissionError):
                table.send(pid, created, GO_ON)
        while watch.add(pid, created) and (left := deadline - clock.now()) > 0:
            watch.wait(min(left, SLICE), [])


def _end(watch: ExitWatch, record: Processes, grace_s: float) -> Swept:
    remains = Remains(record)
    left = remains.look()
    found, asked, killed = _keys(left), set[_Key](), set[_Key]()
    patience = time.monotonic() + grace_s
    while left and (now := time.monotonic()) < patience + UNKILLABLE_S:
        if now < patience:
            due = [p for p in remains.addressed(left) if (p.pid, p.created) not in asked]
            _send_all(due, signal.SIGTERM)
            asked |= _keys(due)
        else:
            _send_all(left, KILL)
            killed |= _keys(left)
        watched = [watch.add(process.pid, process.created) for process in left]
        if all(watched):
            watch.wait(patience - now if now < patience else KILL_AGAIN_S, [])
        left = remains.look()
        found |= _keys(left)
    remains.close()
    return Swept(
        instance_id=record.instance_id,
        found=len(found),
        stopped=len(found - killed),
        killed=len(killed - _keys(left)),
    )


def _keys(processes: list[Found]) -> set[_Key]:
    """Return what tells these processes from all others."""
    return {(process.pid, process.created) for process in processes}


class Remains:
    """What is still there of an instance, and certainly its own.

    An update that ran as a service may have started this very runtime: what we came from is never
    among them, nor our children, if they and we have inherited such a mark.
    """

    def __init__(self, record: Processes) -> None:
        self._instance = record.instance_id
        self._group = record.group or control_group.find(record.instance_id)
        self._prefix = mark_prefix(record.instance_id)
        self._sessions = {p.pid for started in record.services.values() for p in started}
        self._theirs: set[int] = set()
        self._kin = _ancestors()
        inherited = os.environ.get(MARK, "").startswith(self._prefix)
        enclosed = os.getpid() in control_group.members(self._group)
        self._heirs = inherited or enclosed or has_rlimit_mark(os.getpid(), self._instance)

    def look(self) -> list[Found]:
        """Return the processes; a session stays theirs when the marked ones in it have ended."""
        shown = [*self._enclosed(), *rlimit_marked(self._instance)]
        listed = table.census(self._prefix, self._sessions)  # last: what was born is there as well
        by_pid = {process.pid: process for process in (*listed, *shown)}
        by_pid |= {process.pid: process for process in listed if process.mark}  # which says whose
        found = list(by_pid.values())
        self._theirs |= {process.session for process in found if process.mark} & self._sessions
        return [process for process in found if self._ours(process)]

    def _enclosed(self) -> list[Found]:
        """Return what is in its control group; the name of that says that it is its own."""
        if not self._group.endswith(f"/{control_group.PREFIX}{self._instance}"):
            return []
        births = ((pid, table.created(pid)) for pid in control_group.members(self._group))
        return [
            Found(pid, born, session_of(pid), self._prefix)
            for pid, born in births
            if born is not None and pid != os.getpid() and table.alive(pid, born)
        ]

    def close(self) -> None:
        """Nothing of it is left: remove its control group."""
        if self._group.endswith(f"/{control_group.PREFIX}{self._instance}"):
            control_group.remove(self._group)

    def addressed(self, left: list[Found]) -> list[Found]:
        """Return who is asked to end: of a service the leader, and the others once it has ended."""
        leaders = {process.pid for process in left} & self._sessions
        led = {process.mark for process in left if process.pid in leaders} - {"", self._prefix}
        return [
            p for p in left if p.pid in leaders or (p.session not in leaders and p.mark not in led)
        ]

    def _ours(self, process: Found) -> bool:
        if process.pid in self._kin or not (process.mark or process.session in self._theirs):
            return False
        return not (self._heirs and table.parent_of(process.pid) == os.getpid())


def _ancestors() -> set[int]:
    kin: set[int] = set()
    pid = os.getppid()
    while pid and pid not in kin:
        kin.add(pid)
        pid = table.parent_of(pid)
    return kin


def _send_all(processes: Iterable[Found], number: int) -> None:
    for process in processes:
        with suppress(PermissionError):  # it changed its user: it is counted as left
            table.send(process.pid, process.created, number)
