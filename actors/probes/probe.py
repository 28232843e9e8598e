"""The probes of one incarnation: until it is ready, then whether it still is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes.checks import Answer, Check, TcpCheck, ask
from bundlevisor.actors.probes.listen_watch import Listening
from bundlevisor.actors.probes.schedule import Pace, ProbeStats, Probing
from bundlevisor.manifest.format.schema import Health
from bundlevisor.manifest.plan.readiness import Condition, Criterion

CONNECT_TIMEOUT = 1.0
"""Seconds for one connection attempt to a port of this machine."""
CONNECT_INTERVAL = 0.5
"""Seconds, at most, between two attempts."""


class Target(msgspec.Struct, frozen=True):
    """What is asked: a port (None where the check needs none), or a command with all it needs."""

    port: int | None
    argv: list[str]
    env: dict[str, str]
    cwd: str


class Probe:
    """Asks from the events loop; may be used from any thread, and told from the loop's."""

    def __init__(self, loop: Loop, listening: Listening, target: Target, tally: ProbeStats) -> None:
        self._loop = loop
        self._target = target
        self._probing = Probing(loop, listening, tally)

    @property
    def trouble(self) -> str:
        """What has stood in the way of readiness so far, in a few words; empty when unknown."""
        return self._probing.trouble

    def until_ready(
        self,
        criterion: Criterion,
        health: Health | None,
        told: Callable[[], None],
        listens: Callable[[], None],
    ) -> None:
        """Call ``told`` once the criterion holds; what a log must show is watched elsewhere.

        ``listens`` is called when the port that is asked begins to be listened on.
        """
        if criterion.condition is Condition.ALIVE:
            told()
        elif criterion.condition is Condition.LISTENING:
            self._probing.until_well(
                self._connect, CONNECT_INTERVAL, told, self._target.port, listens
            )
        elif criterion.condition is Condition.HEALTHY and health is not None:
            self._probing.until_well(
                self._asking(health), health.interval, told, self._target.port, listens
            )

    def watch(self, health: Health, told: Answer) -> None:
        """Call ``told`` with the answers of further checks, unless all is still well."""
        pace = Pace(health.interval, health.widest_interval)
        self._probing.regularly(self._asking(health), pace, told)

    def stop(self) -> None:
        """Ask no more."""
        self._probing.stop()

    def _connect(self, answer: Answer) -> Check:
        return TcpCheck(self._loop, self._target.port or 0, CONNECT_TIMEOUT, answer)

    def _asking(self, health: Health) -> Callable[[Answer], Check]:
        target = self._target
        return lambda answer: ask(
            self._loop,
            health,
            answer,
            port=target.port,
            argv=target.argv,
            env=target.env,
            cwd=target.cwd,
        )
