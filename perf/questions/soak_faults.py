"""What a soak does to services and to the guardian, and what has to follow."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from bundlevisor.testing import Runtime


class Fault(msgspec.Struct, frozen=True):
    """A fault; ``act`` breaks a service that is ready."""

    name: str
    act: Callable[[Runtime, str], object]
    restarts: bool = True
    """Whether the service has to be ready again as another process."""


def _health(how: str) -> Callable[[Runtime, str], object]:
    return lambda runtime, id_: runtime.service(id_).health(how)


def _stop_then_start(runtime: Runtime, id_: str) -> None:
    runtime.service(id_).stop(wait=5)
    runtime.service(id_).start(wait=0)


def _stop_and_start(runtime: Runtime, id_: str) -> None:
    """While those that need it are stopped first, the start may find it running, and leave it."""
    runtime.service(id_).stop(wait=0)
    runtime.service(id_).start(wait=0)


def _daemon(runtime: Runtime, id_: str) -> None:
    service = runtime.service(id_)
    service.child(daemon=True)
    service.kill()


def _deaf(runtime: Runtime, id_: str) -> None:
    service = runtime.service(id_)
    service.order("deaf", True)
    service.restart(wait=0)


FAULTS = (
    Fault("killed", lambda runtime, id_: runtime.service(id_).kill()),
    Fault("ended with 7", lambda runtime, id_: runtime.service(id_).exit(7)),
    Fault("stands still", lambda runtime, id_: runtime.service(id_).freeze()),
    Fault("health check fails", _health("failing")),
    Fault("health check says unhealthy", _health("wrong")),
    Fault("health check hangs", _health("hanging")),
    Fault("killed beside its daemon", _daemon),
    Fault("restarted", lambda runtime, id_: runtime.service(id_).restart(wait=0)),
    Fault("restarted, deaf to SIGTERM", _deaf),
    Fault("stopped, then started", _stop_then_start),
    Fault("stopped and started at once", _stop_and_start, restarts=False),
    Fault("floods its log", lambda runtime, id_: runtime.service(id_).flood(500_000), False),
    Fault("guardian killed", lambda runtime, _: runtime.guardian.kill(), False),
)


def pick(dice: random.Random) -> Fault:
    """Return the next fault."""
    return dice.choice(FAULTS)
