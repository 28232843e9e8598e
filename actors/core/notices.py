"""What a service says of itself, as sd_notify(3) defines it, in its life. Pure.

A part of the table of :mod:`bundlevisor.actors.core.lifecycle` that only few bundles come to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bundlevisor.actors.core import run_end
from bundlevisor.actors.core.effects import Arm, Disarm, EmitEvent, Extend
from bundlevisor.actors.core.life import WAIT_OVER, Context, Life, Step, in_words
from bundlevisor.actors.core.messages import (
    Message,
    ServiceSaid,
    SignOfLife,
    StopAnnounced,
    TimeExtended,
    Timer,
    TimerFired,
    WatchdogSet,
)
from bundlevisor.actors.core.report import RUNNING, Doing, Stage, StopCause

ANNOUNCED = "it says that it is stopping"


def step(life: Life, event: Message, context: Context) -> Step:
    """Return the next life and the effects, as :func:`lifecycle.step` does."""
    if isinstance(event, TimeExtended) or life.stage in RUNNING:
        return HANDLERS[type(event)](life, event, context)
    return life, ()


def _said(life: Life, event: ServiceSaid, context: Context) -> Step:
    if life.stage is Stage.READY and event.fraction is not None:
        return life, ()
    told = msgspec.structs.replace(life, doing=Doing("", event.text, event.fraction))
    return msgspec.structs.replace(told, message=in_words(told)), ()


def _extended(life: Life, event: TimeExtended, context: Context) -> Step:
    if life.stage is Stage.STARTING:
        return life, tuple(Extend(one, event.seconds) for one in (Timer.STARTUP, Timer.READINESS))
    if life.stage is Stage.STOPPING:
        return life, (Extend(Timer.GRACE, event.seconds),)
    return life, ()


def _set(life: Life, event: WatchdogSet, context: Context) -> Step:
    changed = msgspec.structs.replace(life, watchdog=event.seconds)
    return changed, _fed(changed)


def _alive(life: Life, event: SignOfLife, context: Context) -> Step:
    return _unwell(life, event.trouble, context) if event.trouble else (life, _fed(life))


def _silent(life: Life, event: TimerFired, context: Context) -> Step:
    if life.stage is not Stage.READY or not life.watchdog:
        return life, ()
    return _unwell(life, f"no sign of life within {life.watchdog:g} s", context)


def _fed(life: Life) -> tuple[Arm | Disarm, ...]:
    if not life.watchdog:
        return (Disarm(Timer.WATCHDOG),)
    return (Arm(Timer.WATCHDOG, life.watchdog),) if life.stage is Stage.READY else ()


def _unwell(life: Life, trouble: str, context: Context) -> Step:
    """End a service that hangs, or says that it has failed, and start it again."""
    ill = run_end.failing(life, StopCause.UNHEALTHY, f"unhealthy: {trouble}")
    note = EmitEvent("unhealthy", {"error": trouble, "failures": 1})
    return ill, (*WAIT_OVER, Disarm(Timer.WATCHDOG), note, *run_end.ask(context))


def _announced(life: Life, event: StopAnnounced, context: Context) -> Step:
    """Ask nobody: it is stopping; what it does not finish in the time for a stop is killed."""
    ending = run_end.failing(life, StopCause.ANNOUNCED, ANNOUNCED)
    grace = Arm(Timer.GRACE, context.service.stop.grace_s)
    return ending, (*WAIT_OVER, Disarm(Timer.WATCHDOG), grace)


HANDLERS: dict[type[Message], Callable[[Life, Any, Context], Step]] = {
    ServiceSaid: _said,
    TimeExtended: _extended,
    SignOfLife: _alive,
    WatchdogSet: _set,
    TimerFired: _silent,
    StopAnnounced: _announced,
}
