"""The table in the lifecycle's docstring is what ``step`` does, row by row, and all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from bundlevisor.actors.core import effects, lifecycle, notices
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ProgressMade,
    ResetFailures,
    ServiceSaid,
    SignOfLife,
    StopAnnounced,
    StopService,
    SystemResumed,
    TimeExtended,
    Timer,
    TimerFired,
    TreeEmptied,
    WaitAgain,
    WatchdogSet,
)
from bundlevisor.actors.core.report import AfterStop, Stage
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.format.schema import Service
from tests.actors.core.lives import (
    BACKOFF,
    FAILED,
    READY,
    STARTING,
    STOPPED,
    STOPPING,
    UNHEALTHY,
    WAITING,
    effects_of,
    go,
    start,
)

SERVICE = Service(id="api", health=Health(type="http", retries=1))
PREPARING = go(WAITING, start())
LAUNCHING = go(PREPARING, Prepared(1))
TOLD_EARLY = go(PREPARING, StopService(AfterStop.STAY))
LIVES: dict[str, tuple[Life, ...]] = {
    "waiting": (WAITING,),
    "starting": (STARTING, LAUNCHING, PREPARING),
    "ready": (msgspec.structs.replace(READY, watchdog=5.0, consecutive_failures=1),),
    "stopping": (STOPPING, UNHEALTHY, TOLD_EARLY),
    "backoff": (BACKOFF,),
    "stopped": (STOPPED,),
    "failed": (FAILED,),
}
"""Some of each stage: where the table says what follows, it does for one of them at least."""
GROUPS = {
    "any running": ("starting", "ready"),
    "any live": ("starting", "ready", "stopping"),
    "not live": ("waiting", "backoff", "stopped", "failed"),
}
EVENTS: dict[str, Message] = {
    "Prepared": Prepared(1),
    "WaitAgain": WaitAgain(),
    "Launched": Launched(1, 78),
    "LaunchFailed": LaunchFailed(1, "no such file"),
    "PortsLost": PortsLost(1, ("http",)),
    "BecameReady": BecameReady(1),
    "ProbeAnswered": ProbeAnswered(1, "HTTP 500"),
    "ProcessExited": ProcessExited(1, 1),
    "StopService": StopService(AfterStop.STAY),
    "StopService(STAY)": StopService(AfterStop.STAY),
    "StopService(WAIT)": StopService(AfterStop.WAIT),
    "KillService": KillService(),
    "ResetFailures": ResetFailures(),
    "FailService": FailService("it cannot"),
    "TreeEmptied": TreeEmptied(1),
    "ProgressMade": ProgressMade(1, "asset", "models", 0.5),
    "ServiceSaid": ServiceSaid(1, "hello"),
    "TimeExtended": TimeExtended(1, 9.0),
    "SignOfLife": SignOfLife(1),
    "WatchdogSet": WatchdogSet(1, 7.0),
    "StopAnnounced": StopAnnounced(1),
    "SystemResumed": SystemResumed(60.0),
    "StartService": start(0),
    **{timer.name: TimerFired(1, timer) for timer in Timer if timer is not Timer.TREE},
}
ENDS = {Stage.WAITING, Stage.BACKOFF, Stage.STOPPED, Stage.FAILED}


class Row(msgspec.Struct, frozen=True):
    stages: tuple[str, ...]
    events: tuple[str, ...]
    after: str
    told: str


def rows() -> Iterator[Row]:
    table = (lifecycle.__doc__ or "").split("\n============ ")[2].splitlines()[1:]
    for line in table:
        stage, event = line[:13].strip(), line[13:38].strip()
        if stage and not stage.startswith("*any"):
            names = re.findall(r"[A-Z]\w+(?:\([A-Z]+\))?", event)
            yield Row(GROUPS.get(stage, (stage,)), tuple(names), line[38:51].strip(), line[51:])


ROWS = tuple(rows())
NAMED = {(stage, name.split("(")[0]) for row in ROWS for stage in row.stages for name in row.events}
EFFECTS = {name for name, one in vars(effects).items() if isinstance(one, type)}


TIMERS = re.compile(r"(Arm|Disarm|Extend) ([A-Z]+(?:(?:, | and )[A-Z]+\b)*)")


def demanded(told: str) -> set[str]:
    """Return the effects that a row names, timers with theirs."""
    named = {
        f"{verb} {timer}"
        for verb, timers in TIMERS.findall(told)
        for timer in re.findall("[A-Z]+", timers)
    }
    return named | (set(re.findall(r"\w+", told)) & EFFECTS - {"Arm", "Disarm", "Extend"})


def follows(life: Life, name: str, row: Row) -> bool:
    """Whether an event makes of a life, and has done, what a row says."""
    after = step(life, EVENTS[name], Context(SERVICE, 100.0))[0]
    if row.after == "the same":
        as_said = after.stage is life.stage
    elif row.after in LIVES:
        as_said = after.stage.value == row.after
    else:
        as_said = after.stage in ENDS
    return as_said and demanded(row.told) <= set(effects_of(life, EVENTS[name], SERVICE))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.stages[0]}-{'-'.join(row.events)}")
def test_a_row_says_what_follows(row: Row) -> None:
    assert row.events
    for stage in row.stages:
        for name in row.events:
            assert any(follows(life, name, row) for life in LIVES[stage]), (stage, name)


def test_there_is_a_row_for_every_event_and_timer_that_is_handled() -> None:
    handled = {event.__name__ for event in (*lifecycle.HANDLERS, *notices.HANDLERS)}
    timers = {timer.name for timer in Timer if timer is not Timer.TREE}  # that is the actor's own
    assert {name for _, name in NAMED} == handled - {"TimerFired"} | timers


def test_what_no_row_names_changes_nothing_and_what_one_names_does() -> None:
    changing = set()
    for stage, lives in LIVES.items():
        for name, event in EVENTS.items():
            for life in lives:
                after, told = step(life, event, Context(SERVICE, 100.0))
                if told or after != msgspec.structs.replace(life, heard=after.heard):
                    changing.add((stage, name.split("(")[0]))
    assert changing == NAMED
