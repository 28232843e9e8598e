"""Who is to be stopped when: pure, given who lives, who was asked, and the time.

Reverse dependency order: a service is asked once nothing that depends on it lives any more;
independent ones are asked side by side. Who has been asked has its grace, then its tree is killed.
Nothing lasts longer than the cut-off: then everything is killed at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.process.table.found import GUARDIAN_S

MARGIN = 1.0
"""Seconds for the steps between the graces."""


class Orders:
    """Instances to be asked to stop, and instances to be killed."""

    __slots__ = ("ask", "kill")

    def __init__(self, ask: set[str], kill: set[str]) -> None:
        self.ask = ask
        self.kill = kill


def cut_off(all_guarded: Mapping[str, GuardedProcess], now: float) -> float:
    """Return when patience ends: the graces of the longest chain from now, at most GUARDIAN_S."""
    # A service has more (transitive) dependencies than each of them has, so they come first.
    in_order = sorted(all_guarded.values(), key=lambda guarded: len(guarded.depends_on))
    chain = longest_chain((one.service, one.grace_s, one.depends_on) for one in in_order)
    return now + min(GUARDIAN_S, chain + MARGIN)


def longest_chain(graces: Iterable[tuple[str, float, Iterable[str]]]) -> float:
    """Return the sum of the graces (s) along the longest chain of services that need one another.

    ``graces``: service, its grace and what it needs, that before it. Of two of one service the
    longer counts; whoever is not among them has none.
    """
    chain: dict[str, float] = {}
    for service, grace_s, needs in graces:
        below = max((chain.get(one, 0.0) for one in needs), default=0.0)
        chain[service] = max(chain.get(service, 0.0), grace_s + below)
    return max(chain.values(), default=0.0)


def orders(
    all_guarded: Mapping[str, GuardedProcess],
    living: Collection[str],
    asked: Mapping[str, float],
    now: float,
    until: float,
) -> Orders:
    """Return what is to be done now.

    ``living`` are the instances of which a process is left, ``asked`` says when an instance was
    asked to stop, ``until`` is the cut-off.
    """
    if now >= until:
        return Orders(set(), set(living))
    needed = {service for instance in living for service in all_guarded[instance].depends_on}
    ask = {
        instance
        for instance in living
        if instance not in asked and all_guarded[instance].service not in needed
    }
    kill = {
        instance
        for instance in living
        if instance in asked and now >= asked[instance] + all_guarded[instance].grace_s
    }
    return Orders(ask, kill)


def next_change(
    all_guarded: Mapping[str, GuardedProcess],
    living: Collection[str],
    asked: Mapping[str, float],
    until: float,
) -> float:
    """Return when somebody's grace ends next; the cut-off when nobody has been asked."""
    graces = [asked[i] + all_guarded[i].grace_s for i in living if i in asked]
    return min([*graces, until])
