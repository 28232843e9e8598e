"""Which processes of which services are left."""

from __future__ import annotations

from actors import table
from actors.guardian import system
from actors.guardian.charge import Charge, stray
from actors.guardian.drain import Drain
from actors.table.brand import branded
from actors.table.found import Found

Living = dict[str, list[Found]]
"""Processes by instance; an instance without any is not in it."""


def look(
    prefix: str, charges: dict[str, Charge], drains: dict[str, Drain], runtime: tuple[int, float]
) -> Living:
    """Return what is left, by mark, session, pid and, at last, by its pipe or brand.

    An instance that carries the runtime's mark and has no charge gets one. The runtime itself (its
    pid and start time) is none: its channel ends before the kernel is done with it.
    """
    sessions = _sessions(charges)
    living: Living = {}
    for found in system.census(prefix, set(sessions)):
        living.setdefault(found.mark or sessions[found.session], []).append(found)
    for charge in charges.values():
        if charge.instance not in living and table.alive(charge.pid, charge.created):
            living[charge.instance] = [Found(charge.pid, charge.created, 0, "")]
    if not living:
        living = _by_pipe(drains) or _by_brand(prefix, runtime)
    for instance in living:
        charges.setdefault(instance, stray(instance))
    return living


def _sessions(charges: dict[str, Charge]) -> dict[int, str]:
    """Return the sessions that are still the services' own: a number may have been given away."""
    return {
        charge.session: charge.instance
        for charge in charges.values()
        if charge.session and table.created(charge.session) in (None, charge.created)
    }


def _by_pipe(drains: dict[str, Drain]) -> Living:
    """A process that left its session and cleared its environment still holds the log's pipe."""
    holding = {
        instance: system.holders(drain.fd) for instance, drain in drains.items() if not drain.ended
    }
    return {instance: found for instance, found in holding.items() if found}


def _by_brand(prefix: str, runtime: tuple[int, float]) -> Living:
    """A process that did all that, and let go of the pipe, is still branded (Linux).

    Last of all: the runtime's helpers are branded too, and by now have ended by themselves.
    """
    everything = branded(prefix.removesuffix("-"))
    found = [process for process in everything if (process.pid, process.created) != runtime]
    return {prefix: found} if found else {}
