"""The life of one service: ``step(life, event) -> (life, effects)``, pure.

============ ======================== ============ ==============================================
stage        event                    next         effects
============ ======================== ============ ==============================================
waiting      StartService             starting     Prepare
starting     Prepared                 starting     Arm STARTUP, Launch
starting     Launched                 starting     AwaitReadiness, Arm READINESS and OBSTACLE
starting     OBSTACLE                 starting     says what it waits for; Arm OBSTACLE
starting     LaunchFailed             *retry*
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
stopping     ForgiveService           stopping     then waiting
stopping     GRACE                    stopping     KillTree
stopping     PortsLost                waiting      where it was never ready and *retry* would follow
stopping     TreeEmptied              as ``then``  ReleasePorts where it stays down
backoff      BACKOFF                  waiting      the supervisor starts it when it may
not live     StopService(STAY)        stopped      Disarm BACKOFF, ReleasePorts
not live     StopService(WAIT)        waiting      out of a pause only
not live     KillService              stopped      Disarm BACKOFF, ReleasePorts
not live     ForgiveService           waiting      Disarm BACKOFF
not live     FailService              failed       Disarm BACKOFF, ReleasePorts
starting     ProgressMade             starting     says what it is busy with
starting     SystemResumed            starting     Arm STARTUP and READINESS again
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
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.actors.core import restart
from bundlevisor.actors.core.effects import (
    Arm,
    AwaitFailure,
    AwaitReadiness,
    ClearTree,
    Disarm,
    Effect,
    EndTree,
    KillTree,
    Launch,
    Note,
    Prepare,
    ReleasePorts,
    ReportFailure,
    ReportPorts,
)
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    ForgiveService,
    Instruction,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ProgressMade,
    StartService,
    StopService,
    SystemResumed,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import LIVE, RUNNING, STARTS_AGAIN, Stage, StopCause, Then
from bundlevisor.actors.process.exit_status import describe_exit, is_own_failure
from bundlevisor.manifest.format.schema import Service

if TYPE_CHECKING:
    from bundlevisor.actors.core.crash_reason import Reason

LAST_LINES = 20
"""How many of the last lines of its output are told with an exit."""
OBSTACLE = 0.5
"""Seconds between two looks at what a starting service waits for, to be shown."""


class Life(msgspec.Struct, frozen=True):
    """Everything that the next decision depends on. Times are monotonic seconds."""

    stage: Stage = Stage.WAITING
    incarnation: int = 0
    heard: int = 0
    """The number of the supervisor's last instruction."""
    message: str = ""
    then: Then = Then.STAY
    """What follows a stop; means something in ``stopping`` only."""
    stop_cause: StopCause = StopCause.ORDERED
    """Why it is stopping."""
    pid: int | None = None
    exit_code: int | None = None
    ready_at: float | None = None
    """When this incarnation became ready."""
    troubles: int = 0
    """Failed liveness probes in a row."""
    history: restart.History = restart.History()
    cause: str = ""
    """Why the current or last run ended, in a few words."""
    output: tuple[str, ...] = ()
    """What the last run that failed said of it: the lines around the reason; none once it is ready
    again."""


WAIT_OVER: tuple[Disarm, ...] = tuple(map(Disarm, (Timer.STARTUP, Timer.READINESS, Timer.OBSTACLE)))
"""The wait for readiness is over, one way or the other."""


Effects = tuple[Effect, ...]
Step = tuple[Life, Effects]


class Context(msgspec.Struct, frozen=True):
    """What does not change while a service lives, and what chance and the clock say now."""

    service: Service
    now: float
    spread: float = 0.5
    trouble: str = ""
    """What stands in the way of readiness, where the probe knows it."""


def step(life: Life, event: Message, context: Context) -> Step:
    """Return the next life and the effects that bring it about (see the module's table)."""
    incarnation = getattr(event, "incarnation", life.incarnation)
    if incarnation != life.incarnation:
        return life, ()
    if isinstance(event, Instruction):
        life = msgspec.structs.replace(life, heard=event.number)
    handler = HANDLERS.get(type(event))
    return handler(life, event, context) if handler else (life, ())


def _start(life: Life, event: StartService, context: Context) -> Step:
    if life.stage is not Stage.WAITING or event.after != life.incarnation:
        return life, ()
    started = msgspec.structs.replace(
        life,
        stage=Stage.STARTING,
        incarnation=life.incarnation + 1,
        message="starting",
        then=Then.RETRY,
        pid=None,
        ready_at=None,
        troubles=0,
        cause="",
    )
    return started, (Disarm(Timer.BACKOFF), Prepare())


def _prepared(life: Life, event: Prepared, context: Context) -> Step:
    if life.pid is not None:
        return life, ()
    if life.stage is Stage.STOPPING:
        return _emptied(life, TreeEmptied(life.incarnation), context)
    if life.stage is not Stage.STARTING:
        return life, ()
    bound = context.service.startup.timeout_ms / 1000
    return life, (Arm(Timer.STARTUP, bound), Launch())


def _launched(life: Life, event: Launched, context: Context) -> Step:
    running = msgspec.structs.replace(life, pid=event.pid, exit_code=None)
    started = Note("service_start", {"pid": event.pid})
    if life.stage is Stage.STOPPING:
        return running, (started, *_ask(context))
    wait = readiness_timeout(context.service)
    timers = (Arm(Timer.READINESS, wait), Arm(Timer.OBSTACLE, OBSTACLE))
    return running, (started, *timers, AwaitReadiness())


def _launch_failed(life: Life, event: LaunchFailed, context: Context) -> Step:
    if life.stage is Stage.STOPPING:
        return _emptied(life, TreeEmptied(life.incarnation), context)
    if life.stage is not Stage.STARTING:
        return life, ()
    failed = msgspec.structs.replace(life, cause=event.reason)
    note = Note("service_start_failed", {"error": event.reason})
    if event.fatal:
        return _fail(failed, event.reason, (Disarm(Timer.STARTUP), note))
    return _retry(failed, context, (Disarm(Timer.STARTUP), note))


def _became_ready(life: Life, event: BecameReady, context: Context) -> Step:
    if life.stage is not Stage.STARTING:
        return life, ()
    ready = msgspec.structs.replace(
        life, stage=Stage.READY, message="ready", ready_at=context.now, troubles=0, output=()
    )
    return ready, (*WAIT_OVER, AwaitFailure(), Note("service_ready"))


def _probe_answered(life: Life, event: ProbeAnswered, context: Context) -> Step:
    if life.stage is not Stage.READY or context.service.health is None:
        return life, ()
    if not event.trouble:
        return msgspec.structs.replace(life, troubles=0, message="ready"), ()
    troubles = life.troubles + 1
    retries = context.service.health.retries
    if troubles < retries:
        message = f"health check failed {troubles} of {retries}: {event.trouble}"
        return msgspec.structs.replace(life, troubles=troubles, message=message), ()
    cause = f"unhealthy: {event.trouble}"
    ill = _failing(life, StopCause.UNHEALTHY, cause)
    note = Note("unhealthy", {"error": event.trouble, "failures": troubles})
    return ill, (note, *_ask(context))


def _failing(life: Life, stop_cause: StopCause, cause: str) -> Life:
    """Return the life of a service whose run ends by itself: the restart policy decides then."""
    return msgspec.structs.replace(
        life,
        stage=Stage.STOPPING,
        then=Then.RETRY,
        stop_cause=stop_cause,
        cause=cause,
        message=cause,
    )


def _progress(life: Life, event: ProgressMade, context: Context) -> Step:
    if life.stage is not Stage.STARTING:
        return life, ()
    return msgspec.structs.replace(life, message=event.text), ()


def _exited(life: Life, event: ProcessExited, context: Context) -> Step:
    how = describe_exit(event.code)
    gone = msgspec.structs.replace(life, pid=None, exit_code=event.code)
    if life.stage is Stage.STOPPING:
        return gone, (_exit_note(life, event), ClearTree())
    if life.stage not in RUNNING:
        return life, ()
    was_ready = life.stage is Stage.READY
    reason = _reason(event, was_ready=was_ready)
    cause = how if was_ready else f"{how} before it was ready"
    cause += f": {reason.line}" if reason and reason.line else ""
    if reason:
        gone = msgspec.structs.replace(gone, output=reason.around)
    ending = _failing(gone, StopCause.EXITED, cause)
    grace = Arm(Timer.GRACE, context.service.stop.timeout_ms / 1000)
    note = _exit_note(life, event, reason)
    notes = (note,) if was_ready else (note, Note("service_not_ready", {"error": cause}))
    return ending, (*notes, *WAIT_OVER, grace, ClearTree())


def _reason(event: ProcessExited, *, was_ready: bool) -> Reason | None:
    """Return what the service's output says of its end; None where it says nothing of it.

    What was ready may have said anything last: then only what speaks of a failure counts.
    """
    if not event.last_lines or (was_ready and not is_own_failure(event.code)):
        return None
    from bundlevisor.actors.core.crash_reason import find_reason

    reason = find_reason(event.last_lines)
    return reason if reason.sure or not was_ready else None


def _exit_note(life: Life, event: ProcessExited, reason: Reason | None = None) -> Note:
    told = life.stage is Stage.STOPPING
    said: dict[str, object] = {
        "exit_code": event.code,
        "error": describe_exit(event.code),
        "expected": told,
        "by": life.stop_cause.value if told else "itself",
    }
    if event.last_lines:
        said["last_lines"] = "".join(event.last_lines.splitlines(keepends=True)[-LAST_LINES:])
    if reason and reason.line:
        said |= {"reason": reason.line, "output": reason.around}
    return Note("service_exit", said)


def _stop(life: Life, event: StopService, context: Context) -> Step:
    reason = event.reason or "stopping"
    if life.stage not in LIVE:
        return _rest(life, event.then, event.reason or "stopped")
    ending = msgspec.structs.replace(
        life,
        stage=Stage.STOPPING,
        then=event.then,
        stop_cause=StopCause.ORDERED,
        message=reason,
        cause=event.reason or "stopped",
    )
    return ending, (*WAIT_OVER, *_ask(context)) if life.stage in RUNNING else ()


def _kill(life: Life, event: KillService, context: Context) -> Step:
    if life.stage in LIVE:
        ending = msgspec.structs.replace(
            life, stage=Stage.STOPPING, then=Then.STAY, stop_cause=StopCause.ORDERED
        )
        return ending, (*WAIT_OVER, Disarm(Timer.GRACE), KillTree())
    return _rest(life, Then.STAY, "stopped")


def _timer(life: Life, event: TimerFired, context: Context) -> Step:
    if event.timer is Timer.BACKOFF and life.stage is Stage.BACKOFF:
        return msgspec.structs.replace(life, stage=Stage.WAITING), ()
    if event.timer is Timer.GRACE and life.stage is Stage.STOPPING:
        note = Note("service_killed", {"timeout_ms": context.service.stop.timeout_ms})
        return life, (note, KillTree())
    if event.timer in (Timer.READINESS, Timer.STARTUP) and life.stage is Stage.STARTING:
        return _too_slow(life, event.timer, context)
    if event.timer is Timer.OBSTACLE and life.stage is Stage.STARTING:
        message = f"starting: {context.trouble}" if context.trouble else "starting"
        again = Arm(Timer.OBSTACLE, OBSTACLE)
        return msgspec.structs.replace(life, message=message), (again,)
    return life, ()


def _too_slow(life: Life, timer: Timer, context: Context) -> Step:
    whole = timer is Timer.STARTUP
    bound = (
        context.service.startup.timeout_ms / 1000 if whole else readiness_timeout(context.service)
    )
    cause = f"not ready within {bound:g} s" + (" of its start-up" if whole else "")
    if context.trouble:
        cause += f": {context.trouble}"
    slow = _failing(life, StopCause.NOT_READY, cause)
    note = Note("service_not_ready", {"error": cause})
    return slow, (*WAIT_OVER, note, *_ask(context))


def _emptied(life: Life, event: TreeEmptied, context: Context) -> Step:
    if life.stage is not Stage.STOPPING:
        return life, ()
    done: Effects = (Disarm(Timer.GRACE), Disarm(Timer.TREE))
    gone = msgspec.structs.replace(life, pid=None)
    if life.then is Then.RETRY:
        return _retry(gone, context, done)
    rested, effects = _rest(gone, life.then, life.cause)
    return rested, (*done, *effects)


def _forgive(life: Life, event: ForgiveService, context: Context) -> Step:
    if life.stage in RUNNING:
        return life, ()
    fresh = msgspec.structs.replace(life, history=restart.History(total=life.history.total))
    if life.stage is Stage.STOPPING:
        again = msgspec.structs.replace(
            fresh, then=Then.WAIT, stop_cause=StopCause.ORDERED, message=STARTS_AGAIN
        )
        return again, ()
    return msgspec.structs.replace(fresh, stage=Stage.WAITING, message="", cause=""), (
        Disarm(Timer.BACKOFF),
    )


def _ports_lost(life: Life, event: PortsLost, context: Context) -> Step:
    """Leave the restart policy out of it: what failed is the choice of the port."""
    if life.stage not in (Stage.STARTING, Stage.STOPPING) or life.then is not Then.RETRY:
        return life, ()
    names = ", ".join(event.names)
    waiting = msgspec.structs.replace(
        life, stage=Stage.WAITING, pid=None, message=f"port {names} is taken; choosing another"
    )
    timers = (Disarm(Timer.STARTUP), Disarm(Timer.GRACE), Disarm(Timer.TREE))
    return waiting, (*timers, ReportPorts(event.names))


def _fail_now(life: Life, event: FailService, context: Context) -> Step:
    if life.stage in LIVE:
        return life, ()
    return _fail(life, event.reason, (Disarm(Timer.BACKOFF),))


def _resumed(life: Life, event: SystemResumed, context: Context) -> Step:
    if life.stage is Stage.STARTING:
        whole = context.service.startup.timeout_ms / 1000
        readiness = readiness_timeout(context.service)
        if life.pid is None:
            return life, ()
        return life, (Arm(Timer.STARTUP, whole), Arm(Timer.READINESS, readiness))
    return msgspec.structs.replace(life, troubles=0), ()


def _ask(context: Context) -> Effects:
    return (Arm(Timer.GRACE, context.service.stop.timeout_ms / 1000), EndTree())


def _rest(life: Life, then: Then, message: str) -> Step:
    """Settle a service without a process in waiting or stopped."""
    quiet: Effects = (Disarm(Timer.BACKOFF),)
    if then is Then.STAY:
        stopped = msgspec.structs.replace(life, stage=Stage.STOPPED, message=message)
        return stopped, (*quiet, ReleasePorts())
    if life.stage in (Stage.FAILED, Stage.STOPPED):
        return life, ()
    return msgspec.structs.replace(life, stage=Stage.WAITING, message=""), quiet


def _retry(life: Life, context: Context, effects: Effects) -> Step:
    """Let the restart policy decide what follows a run (or an attempt) that failed."""
    ready_for = None if life.ready_at is None else context.now - life.ready_at
    clean = ready_for is not None and life.cause == describe_exit(0)
    decision = restart.after_exit(
        context.service.restart,
        life.history,
        now=context.now,
        ready_for=ready_for,
        clean=clean,
        cause=life.cause,
        spread=context.spread,
    )
    if isinstance(decision, restart.GiveUp):
        if not decision.failed:
            return _rest(life, Then.STAY, f"ended: {decision.reason}")
        return _fail(life, decision.reason, effects)
    again = msgspec.structs.replace(life, history=decision.history)
    note = Note(
        "restart",
        {
            "reason": life.cause,
            "attempt": decision.history.attempt,
            "delay_ms": decision.delay * 1000,
        },
    )
    told: Effects = (*effects, note, ReportFailure(life.cause))
    if decision.delay == 0:
        message = f"restarting: {life.cause}"
        return msgspec.structs.replace(again, stage=Stage.WAITING, message=message), told
    message = f"{life.cause}; restart {decision.history.attempt} in {decision.delay:.1f} s"
    waiting = msgspec.structs.replace(again, stage=Stage.BACKOFF, message=message)
    pause = Note("backoff", {"reason": life.cause, "delay_ms": round(decision.delay * 1000)})
    return waiting, (*told, pause, Arm(Timer.BACKOFF, decision.delay))


def _fail(life: Life, reason: str, effects: Effects) -> Step:
    failed = msgspec.structs.replace(life, stage=Stage.FAILED, message=reason, pid=None)
    return failed, (*effects, Note("gave_up", {"reason": reason}), ReleasePorts())


def readiness_timeout(service: Service) -> float:
    """Return the bound on the wait for readiness, in seconds (30 when the bundle names none)."""
    return service.readiness.timeout_ms / 1000 if service.readiness else 30.0


HANDLERS: dict[type[Message], Callable[[Life, Any, Context], Step]] = {
    StartService: _start,
    Prepared: _prepared,
    Launched: _launched,
    LaunchFailed: _launch_failed,
    BecameReady: _became_ready,
    ProbeAnswered: _probe_answered,
    ProgressMade: _progress,
    ProcessExited: _exited,
    StopService: _stop,
    KillService: _kill,
    TimerFired: _timer,
    TreeEmptied: _emptied,
    ForgiveService: _forgive,
    PortsLost: _ports_lost,
    FailService: _fail_now,
    SystemResumed: _resumed,
}
