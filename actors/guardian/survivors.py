"""Which processes of which services are left."""

from __future__ import annotations

from bundlevisor.actors.guardian import system
from bundlevisor.actors.guardian.drain import Drain
from bundlevisor.actors.guardian.guarded import GuardedProcess, stray
from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import control_group
from bundlevisor.actors.process.table.found import Found
from bundlevisor.actors.process.table.rlimit_mark import by_serial

Survivors = dict[str, list[Found]]
"""Processes by instance; an instance without any is not in it."""


def look(
    prefix: str,
    all_guarded: dict[str, GuardedProcess],
    drains: dict[str, Drain],
    runtime: tuple[int, float],
    serials: dict[int, str],
    group: str = "",
) -> Survivors:
    """Return what is left: by both marks, session, pid and control group, at last by pipe.

    An instance that carries the runtime's mark and is not known becomes a guarded process. The
    runtime itself (its pid and start time) is none: its channel ends before the kernel is done with
    it. ``serials`` remembers from one look to the next which serial number is whose.
    """
    enclosed = control_group.members(group)  # first: what is born later is known by the others
    sessions = _sessions(all_guarded)
    living: Survivors = {}
    for found in system.census(prefix, set(sessions)):
        living.setdefault(found.mark or sessions[found.session], []).append(found)
    for guarded in all_guarded.values():
        if guarded.instance not in living and table.alive(guarded.pid, guarded.created):
            living[guarded.instance] = [Found(guarded.pid, guarded.created, 0, "")]
    trees = _trees(prefix, runtime)
    helpers = trees.pop(0, [])
    _add_marked_by_rlimit(living, trees, serials, prefix)
    _add_enclosed(living, enclosed, prefix, {runtime[0], *(process.pid for process in helpers)})
    if not living:
        # Helpers of the runtime carry the rlimit mark too, and by now have ended by themselves.
        living = _by_pipe(drains) or ({prefix: helpers} if helpers else {})
    for instance in living:
        all_guarded.setdefault(instance, stray(instance))
    return living


def _trees(prefix: str, runtime: tuple[int, float]) -> dict[int, list[Found]]:
    """Return what has the rlimit mark, but the runtime, by serial numbers of starts (Linux)."""
    trees = {
        serial: [process for process in found if (process.pid, process.created) != runtime]
        for serial, found in by_serial(prefix.removesuffix("-")).items()
    }
    return {serial: found for serial, found in trees.items() if found}


def _add_marked_by_rlimit(
    living: Survivors, trees: dict[int, list[Found]], serials: dict[int, str], prefix: str
) -> None:
    """Add what shows neither mark nor session, as that of the start whose number it carries."""
    known = {process.pid: name for name, found in living.items() for process in found}
    for serial, tree in trees.items():
        for process in tree:
            if process.pid in known:
                serials[serial] = known[process.pid]
    for serial, tree in trees.items():
        unseen = [process for process in tree if process.pid not in known]
        if unseen:
            living.setdefault(serials.get(serial, prefix), []).extend(unseen)


def _add_enclosed(living: Survivors, enclosed: list[int], prefix: str, others: set[int]) -> None:
    """Add what is in the runtime's control group, and shows nothing else."""
    known = {process.pid for found in living.values() for process in found} | others
    for pid in enclosed:
        born = table.created(pid)
        if pid not in known and born is not None and table.alive(pid, born):
            living.setdefault(prefix, []).append(Found(pid, born, 0, ""))


def _sessions(all_guarded: dict[str, GuardedProcess]) -> dict[int, str]:
    """Return the sessions that are still the services' own: a number may have been given away."""
    return {
        guarded.session: guarded.instance
        for guarded in all_guarded.values()
        if guarded.session and table.created(guarded.session) in (None, guarded.created)
    }


def _by_pipe(drains: dict[str, Drain]) -> Survivors:
    """A process that left its session and cleared its environment still holds the log's pipe."""
    holding = {
        instance: system.holders(drain.fd) for instance, drain in drains.items() if not drain.ended
    }
    return {instance: found for instance, found in holding.items() if found}
