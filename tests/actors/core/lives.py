"""Lives of a service in each of its stages, for the tests of what follows."""

from __future__ import annotations

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    Launched,
    Message,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    StartService,
    StopService,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.manifest.format.policy import RestartPolicy
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.format.schema import Service

SERVICE = Service(id="api", health=Health(type="http"))
ONCE = Service(id="api", health=Health(type="http"), restart=RestartPolicy(policy="never"))


def go(life: Life, *events: Message, service: Service = SERVICE, now: float = 100.0) -> Life:
    for event in events:
        life, _ = step(life, event, Context(service, now))
    return life


def start(after: int = 0) -> StartService:
    return StartService(after, StartInputs({}))


WAITING = Life()
STARTING = go(WAITING, start(), Prepared(1), Launched(1, 77))
READY = go(STARTING, BecameReady(1))
STOPPING = go(READY, StopService(AfterStop.STAY))
BACKOFF = go(STARTING, ProcessExited(1, 1), TreeEmptied(1))
FAILED = go(STARTING, ProcessExited(1, 1), TreeEmptied(1), service=ONCE)
STOPPED = go(STOPPING, ProcessExited(1, -15), TreeEmptied(1))
UNHEALTHY = go(READY, *[ProbeAnswered(1, "HTTP 500")] * 3)


def effects_of(life: Life, event: Message, service: Service = SERVICE) -> list[str]:
    """What an event makes a life do, by name; timers with theirs."""
    return [
        f"{type(one).__name__} {one.timer.name}"
        if isinstance(one, effects.Arm | effects.Disarm | effects.Extend)
        else type(one).__name__
        for one in step(life, event, Context(service, 100.0))[1]
    ]


def effect_names(life: Life, event: Message) -> list[str]:
    """The same without the timers' names."""
    return [effect.partition(" ")[0] for effect in effects_of(life, event)]
