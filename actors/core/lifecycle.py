"""The life of one service: ``step(life, event) -> (life, effects)``, pure.

============ ======================== ============ ==============================================
stage        event                    next         effects
============ ======================== ============ ==============================================
waiting      StartService             starting     Prepare
starting     Prepared                 starting     Arm STARTUP, Launch
starting     WaitAgain                starting     unless it runs: what ends it is as ``then``
starting     Launched                 starting     AwaitReadiness, Arm READINESS and OBSTACLE
starting     OBSTACLE                 starting     says what it waits for; Arm OBSTACLE
starting     LaunchFailed             *retry*      where it is fatal: failed
starting     PortsLost                waiting      ReportPorts: the supervisor chooses others
starting     BecameReady              ready        AwaitFailure, Disarm the timers of the start
starting     READINESS or STARTUP     stopping     EndTree, then *retry*
ready        ProbeAnswered (trouble)  stopping     after ``retries`` in a row: EndTree, then *retry*
any running  ProcessExited            stopping     ClearTree, then *retry*
any running  StopService              stopping     EndTree, then stopped or waiting
any live     KillService              stopping     KillTree, then stopped
stopping     Launched                 stopping     EndTree: it was told while it was being spawned
stopping     Prepared, LaunchFailed   as ``then``  there is nothing to end
stopping     ProcessExited            stopping     ClearTree
stopping     StopService              stopping     the last one says what follows
stopping     ResetFailures            stopping     then waiting
stopping     GRACE                    stopping     KillTree
stopping     PortsLost                waiting      where *retry* would follow; else as TreeEmptied
stopping     TreeEmptied              as ``then``  ReleasePorts where it stays down
backoff      BACKOFF                  waiting      the supervisor starts it when it may
not live     StopService(STAY)        stopped      Disarm BACKOFF, ReleasePorts
backoff      StopService(WAIT)        waiting      Disarm BACKOFF
not live     KillService              stopped      Disarm BACKOFF, ReleasePorts
not live     ResetFailures            waiting      Disarm BACKOFF
not live     FailService              failed       Disarm BACKOFF, ReleasePorts
starting     ProgressMade             starting     says what it is busy with
any running  ServiceSaid              the same     shows what the service says of itself
starting     TimeExtended             starting     Extend STARTUP and READINESS
stopping     TimeExtended             stopping     Extend GRACE
starting     SignOfLife, WatchdogSet  starting     what is set counts once it is ready
ready        SignOfLife, WatchdogSet  ready        Arm WATCHDOG
ready        WATCHDOG                 stopping     EndTree, then *retry*
any running  StopAnnounced            stopping     Arm GRACE; its exit is its own
starting     SystemResumed            starting     Extend STARTUP and READINESS
ready        SystemResumed            ready        forgets that checks failed
============ ======================== ============ ==============================================

*any running*: starting, ready; *any live*: these and stopping; *not live*: waiting, backoff,
stopped, failed. *retry* is :func:`bundlevisor.actors.core.restart.after_exit`: waiting at once,
backoff, stopped or failed. An event of another incarnation, and one that a stage does not name,
changes nothing but ``heard``, which says that an instruction of the supervisor has come.

A start is always the supervisor's: a service that may run again is *waiting*, and is started as
soon as its dependencies are ready, which for an immediate restart is at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bundlevisor.actors.core import run_end
from bundlevisor.actors.core.effects import (
    Arm,
    AwaitFailure,
    AwaitReadiness,
    Disarm,
    EmitEvent,
    Extend,
    KillTree,
    Launch,
    Prepare,
)
from bundlevisor.actors.core.life import (
    WAIT_OVER,
    Context,
    Life,
    Step,
    in_words,
    is_undone,
    readiness_timeout,
    startup_timeout,
)
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    Instruction,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    Notice,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ProgressMade,
    ResetFailures,
    StartService,
    StopService,
    SystemResumed,
    Timer,
    TimerFired,
    TreeEmptied,
    WaitAgain,
)
from bundlevisor.actors.core.report import LIVE, RUNNING, AfterStop, Doing, Stage, StopCause

OBSTACLE = 0.5
"""Seconds between two looks at what a starting service waits for, to be shown."""


def step(life: Life, event: Message, context: Context) -> Step:
    """Return the next life and the effects that bring it about (see the module's table)."""
    incarnation = getattr(event, "incarnation", life.incarnation)
    if incarnation != life.incarnation:
        return life, ()
    if isinstance(event, Instruction):
        life = msgspec.structs.replace(life, heard=event.number)
    handler = HANDLERS.get(type(event)) or (_notice if isinstance(event, Notice) else None)
    return handler(life, event, context) if handler else (life, ())


def _start(life: Life, event: StartService, context: Context) -> Step:
    if life.stage is not Stage.WAITING or event.after != life.incarnation:
        return life, ()
    started = msgspec.structs.replace(
        life,
        stage=Stage.STARTING,
        incarnation=life.incarnation + 1,
        message="starting",
        doing=Doing(),
        watchdog=context.service.watchdog,
        then=AfterStop.RETRY,
        pid=None,
        exit_code=None,
        ready_at=None,
        consecutive_failures=0,
        cause="",
    )
    return started, (Disarm(Timer.BACKOFF), Prepare())


def _prepared(life: Life, event: Prepared, context: Context) -> Step:
    if life.pid is not None:
        return life, ()
    if is_undone(life):
        return run_end.gone(life, context)
    if life.stage is not Stage.STARTING:
        return life, ()
    bound = startup_timeout(context.service)
    life = msgspec.structs.replace(life, doing=Doing(), message="starting")
    return life, (Arm(Timer.STARTUP, bound), Launch())


def _wait_again(life: Life, event: WaitAgain, context: Context) -> Step:
    if life.stage is not Stage.STARTING or life.pid is not None:
        return life, ()
    return msgspec.structs.replace(life, then=AfterStop.WAIT), ()


def _launched(life: Life, event: Launched, context: Context) -> Step:
    if life.stage not in (Stage.STARTING, Stage.STOPPING):
        return life, ()
    running = msgspec.structs.replace(life, pid=event.pid)
    started = EmitEvent("service_start", {"pid": event.pid})
    if life.stage is Stage.STOPPING:
        return running, (started, *run_end.ask(context))
    wait = Arm(Timer.READINESS, readiness_timeout(context.service))
    return running, (started, wait, Arm(Timer.OBSTACLE, OBSTACLE), AwaitReadiness())


def _launch_failed(life: Life, event: LaunchFailed, context: Context) -> Step:
    if is_undone(life):
        return run_end.gone(life, context)
    if life.stage is not Stage.STARTING:
        return life, ()
    failed = msgspec.structs.replace(life, cause=event.reason)
    note = EmitEvent("service_start_failed", {"error": event.reason})
    if event.fatal:
        return run_end.fail(failed, event.reason, (Disarm(Timer.STARTUP), note))
    return run_end.retry(failed, context, (Disarm(Timer.STARTUP), note))


def _became_ready(life: Life, event: BecameReady, context: Context) -> Step:
    if life.stage is not Stage.STARTING:
        return life, ()
    ready = msgspec.structs.replace(
        life,
        stage=Stage.READY,
        message="ready",
        doing=Doing(),
        ready_at=context.now,
        consecutive_failures=0,
        output=(),
    )
    begun = (*WAIT_OVER, AwaitFailure(), EmitEvent("service_ready"))
    return ready, (*begun, Arm(Timer.WATCHDOG, ready.watchdog)) if ready.watchdog else begun


def _probe_answered(life: Life, event: ProbeAnswered, context: Context) -> Step:
    if life.stage is not Stage.READY or context.service.health is None:
        return life, ()
    if not event.trouble:
        return msgspec.structs.replace(life, consecutive_failures=0, message=in_words(life)), ()
    failures = life.consecutive_failures + 1
    retries = context.service.health.retries
    if failures < retries:
        message = f"health check failed {failures} of {retries}: {event.trouble}"
        return msgspec.structs.replace(life, consecutive_failures=failures, message=message), ()
    cause = f"unhealthy: {event.trouble}"
    ill = run_end.failing(life, StopCause.UNHEALTHY, cause)
    note = EmitEvent("unhealthy", {"error": event.trouble, "failures": failures})
    return ill, (note, *run_end.ask(context))


def _progress(life: Life, event: ProgressMade, context: Context) -> Step:
    if life.stage is not Stage.STARTING or (event.phase and life.pid is not None):
        return life, ()
    doing = Doing(event.phase, event.text, event.fraction)
    return msgspec.structs.replace(life, message=event.text, doing=doing), ()


def _notice(life: Life, event: Message, context: Context) -> Step:
    from bundlevisor.actors.core import notices  # few services speak for themselves

    return notices.step(life, event, context)


def _stop(life: Life, event: StopService, context: Context) -> Step:
    if life.stage not in LIVE:
        return run_end.rest(life, event.then, event.reason or "stopped")
    ending = msgspec.structs.replace(
        life,
        stage=Stage.STOPPING,
        then=event.then,
        stop_cause=StopCause.ORDERED,
        message=event.reason or "stopping",
        cause=event.reason or "stopped",
    )
    return ending, (*WAIT_OVER, *run_end.ask(context)) if life.stage in RUNNING else ()


def _kill(life: Life, event: KillService, context: Context) -> Step:
    if life.stage in LIVE:
        ending = msgspec.structs.replace(
            life, stage=Stage.STOPPING, then=AfterStop.STAY, stop_cause=StopCause.ORDERED
        )
        return ending, (*WAIT_OVER, Disarm(Timer.GRACE), KillTree())
    return run_end.rest(life, AfterStop.STAY, "stopped")


def _timer(life: Life, event: TimerFired, context: Context) -> Step:
    if event.timer is Timer.BACKOFF and life.stage is Stage.BACKOFF:
        return msgspec.structs.replace(life, stage=Stage.WAITING), ()
    if event.timer is Timer.GRACE and life.stage is Stage.STOPPING:
        return run_end.overdue(life, context)
    if event.timer is Timer.WATCHDOG:
        return _notice(life, event, context)
    if event.timer in (Timer.READINESS, Timer.STARTUP) and life.stage is Stage.STARTING:
        return run_end.too_slow(life, event.timer, context)
    if event.timer is Timer.OBSTACLE and life.stage is Stage.STARTING:
        again = Arm(Timer.OBSTACLE, OBSTACLE)
        return msgspec.structs.replace(life, message=in_words(life, context.trouble)), (again,)
    return life, ()


def _resumed(life: Life, event: SystemResumed, context: Context) -> Step:
    if life.stage is Stage.READY:
        return msgspec.structs.replace(life, consecutive_failures=0), ()
    if life.stage is not Stage.STARTING or life.pid is None:
        return life, ()
    whole = Extend(Timer.STARTUP, startup_timeout(context.service))
    return life, (whole, Extend(Timer.READINESS, readiness_timeout(context.service)))


HANDLERS: dict[type[Message], Callable[[Life, Any, Context], Step]] = {
    StartService: _start,
    Prepared: _prepared,
    WaitAgain: _wait_again,
    Launched: _launched,
    LaunchFailed: _launch_failed,
    BecameReady: _became_ready,
    ProbeAnswered: _probe_answered,
    ProgressMade: _progress,
    ProcessExited: run_end.exited,
    StopService: _stop,
    KillService: _kill,
    TimerFired: _timer,
    TreeEmptied: lambda life, _, context: run_end.gone(life, context),
    ResetFailures: run_end.reset_failures,
    PortsLost: run_end.ports_lost,
    FailService: run_end.fail_now,
    SystemResumed: _resumed,
}
