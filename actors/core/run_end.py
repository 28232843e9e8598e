"""How a run of a service comes to its end, and what follows: another start, rest, or failure. Pure.

Most of these are steps of the table of :mod:`bundlevisor.actors.core.lifecycle`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core import restart
from bundlevisor.actors.core.effects import (
    Arm,
    ClearTree,
    Disarm,
    EmitEvent,
    EndTree,
    KillTree,
    ReleasePorts,
    ReportFailure,
    ReportPorts,
)
from bundlevisor.actors.core.life import (
    WAIT_OVER,
    Context,
    Effects,
    Life,
    Step,
    is_undone,
    readiness_timeout,
    startup_timeout,
)
from bundlevisor.actors.core.messages import (
    FailService,
    PortsLost,
    ProcessExited,
    ResetFailures,
    Timer,
)
from bundlevisor.actors.core.report import (
    LIVE,
    RESTING,
    RUNNING,
    STARTS_AGAIN,
    AfterStop,
    Stage,
    StopCause,
)
from bundlevisor.actors.process.exit_reason import describe_exit, is_own_failure

if TYPE_CHECKING:
    from bundlevisor.actors.core.crash_reason import Reason

LAST_LINES = 20
"""How many of the last lines of its output are told with an exit."""


def failing(life: Life, stop_cause: StopCause, cause: str) -> Life:
    """Return the life of a service whose run ends by itself: the restart policy decides then."""
    return msgspec.structs.replace(
        life,
        stage=Stage.STOPPING,
        then=AfterStop.RETRY,
        stop_cause=stop_cause,
        cause=cause,
        message=cause,
    )


def exited(life: Life, event: ProcessExited, context: Context) -> Step:
    """The leader is gone: asked to, or by itself."""
    how = describe_exit(event.code)
    gone = msgspec.structs.replace(life, pid=None, exit_code=event.code)
    if _is_told(life):
        return gone, (exit_note(life, event), ClearTree())
    if life.stage not in LIVE:
        return life, ()
    was_ready = life.ready_at is not None
    reason = reason_of(event, was_ready=was_ready)
    cause = how if was_ready else f"{how} before it was ready"
    cause += f": {reason.line}" if reason and reason.line else ""
    if reason:
        gone = msgspec.structs.replace(gone, output=reason.around)
    ending = failing(gone, StopCause.EXITED, cause)
    grace = Arm(Timer.GRACE, context.service.stop.grace_s)
    note = exit_note(life, event, reason)
    notes = (note,) if was_ready else (note, EmitEvent("service_not_ready", {"error": cause}))
    return ending, (*notes, *WAIT_OVER, grace, ClearTree())


def too_slow(life: Life, timer: Timer, context: Context) -> Step:
    """End a start that has not led to readiness in time."""
    bound = wait = readiness_timeout(context.service)
    if timer is Timer.STARTUP:
        bound = startup_timeout(context.service)
    cause = f"not ready within {bound:g} s" + (" of its start-up" if bound != wait else "")
    if context.trouble:
        cause += f": {context.trouble}"
    slow = failing(life, StopCause.NOT_READY, cause)
    note = EmitEvent("service_not_ready", {"error": cause})
    return slow, (*WAIT_OVER, note, *ask(context))


def overdue(life: Life, context: Context) -> Step:
    """Kill what has not ended in its time; from now on that is not its own end."""
    bound = context.service.stop.timeout_ms
    if life.stop_cause is StopCause.ANNOUNCED:
        cause = f"unhealthy: it said that it is stopping, and did not within {bound / 1000:g} s"
        life = failing(life, StopCause.UNHEALTHY, cause)
    return life, (EmitEvent("service_killed", {"timeout_ms": bound}), KillTree())


def gone(life: Life, context: Context) -> Step:
    """Nothing of the run is left: what follows is what was wanted last."""
    if not is_undone(life):
        return life, ()
    done: Effects = (Disarm(Timer.GRACE), Disarm(Timer.TREE))
    without = msgspec.structs.replace(life, pid=None)
    if life.then is AfterStop.RETRY:
        return retry(without, context, done)
    rested, effects = rest(without, life.then, life.cause)
    return rested, (*done, *effects)


def ports_lost(life: Life, event: PortsLost, context: Context) -> Step:
    """Leave the restart policy out of it: what failed is the choice of the port.

    In a stop that somebody has ordered meanwhile it says no more than that nothing is left.
    """
    if life.stage is Stage.STOPPING and life.then is not AfterStop.RETRY:
        return gone(life, context)
    if life.stage not in (Stage.STARTING, Stage.STOPPING):
        return life, ()
    message = f"port {', '.join(event.names)} is taken; choosing another"
    waiting = msgspec.structs.replace(life, stage=Stage.WAITING, pid=None, message=message)
    timers = (Disarm(Timer.STARTUP), Disarm(Timer.GRACE), Disarm(Timer.TREE))
    return waiting, (*timers, ReportPorts(event.names))


def without_failures(life: Life) -> Life:
    """Return the life without the failures so far."""
    return msgspec.structs.replace(life, history=restart.History(total=life.history.total))


def reason_of(event: ProcessExited, *, was_ready: bool) -> Reason | None:
    """Return what the service's output says of its end; None where it says nothing of it.

    What was ready may have said anything last: then only what speaks of a failure counts.
    """
    if not event.last_lines or (was_ready and not is_own_failure(event.code)):
        return None
    from bundlevisor.actors.core.crash_reason import find_reason, last_said

    if event.code < 0 and not is_own_failure(event.code):
        return last_said(event.last_lines)
    reason = find_reason(event.last_lines)
    return reason if reason.sure or not was_ready else None


def exit_note(life: Life, event: ProcessExited, reason: Reason | None = None) -> EmitEvent:
    """Return the event that tells of an exit; ``life`` is as it was before."""
    told = _is_told(life)
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
    return EmitEvent("service_exit", said)


def _is_told(life: Life) -> bool:
    """Whether a service is stopping, and not because it has said by itself that it ends."""
    return life.stage is Stage.STOPPING and life.stop_cause is not StopCause.ANNOUNCED


def ask(context: Context) -> Effects:
    """Return what asks a tree to end, for as long as it is given."""
    return (Arm(Timer.GRACE, context.service.stop.grace_s), EndTree())


def rest(life: Life, then: AfterStop, message: str) -> Step:
    """Settle a service without a process in waiting or stopped."""
    quiet: Effects = (Disarm(Timer.BACKOFF),)
    if then is AfterStop.STAY:
        stopped = msgspec.structs.replace(life, stage=Stage.STOPPED, message=message)
        return stopped, (*quiet, ReleasePorts())
    if life.stage in RESTING:
        return life, ()
    return msgspec.structs.replace(life, stage=Stage.WAITING, message=""), quiet


def retry(life: Life, context: Context, effects: Effects) -> Step:
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
        jitter=context.jitter,
    )
    if isinstance(decision, restart.GiveUp):
        if not decision.failed:
            rested, quiet = rest(life, AfterStop.STAY, f"ended: {decision.reason}")
            return rested, (*effects, *quiet)
        return fail(life, decision.reason, effects)
    again = msgspec.structs.replace(life, history=decision.history)
    delay_ms, attempt = round(decision.delay * 1000), decision.history.attempt
    note = EmitEvent("restart", {"reason": life.cause, "attempt": attempt, "delay_ms": delay_ms})
    told: Effects = (*effects, note, ReportFailure(life.cause))
    if decision.delay == 0:
        message = f"restarting: {life.cause}"
        return msgspec.structs.replace(again, stage=Stage.WAITING, message=message), told
    message = f"{life.cause}; pauses {decision.delay:.1f} s before restart {attempt}"
    waiting = msgspec.structs.replace(again, stage=Stage.BACKOFF, message=message)
    pause = EmitEvent("backoff", {"reason": life.cause, "delay_ms": delay_ms})
    return waiting, (*told, pause, Arm(Timer.BACKOFF, decision.delay))


def fail(life: Life, reason: str, effects: Effects) -> Step:
    """Give a service up, for this reason."""
    failed = msgspec.structs.replace(life, stage=Stage.FAILED, message=reason, pid=None)
    return failed, (*effects, EmitEvent("gave_up", {"reason": reason}), ReleasePorts())


def reset_failures(life: Life, event: ResetFailures, context: Context) -> Step:  # noqa: ARG001
    """Somebody asked for a start: forget earlier failures, and wait for the dependencies."""
    if life.stage in RUNNING:
        return life, ()
    fresh = without_failures(life)
    if life.stage is Stage.STOPPING:
        again = msgspec.structs.replace(
            fresh, then=AfterStop.WAIT, stop_cause=StopCause.ORDERED, message=STARTS_AGAIN
        )
        return again, ()
    waiting = msgspec.structs.replace(fresh, stage=Stage.WAITING, message="", cause="")
    return waiting, (Disarm(Timer.BACKOFF),)


def fail_now(life: Life, event: FailService, context: Context) -> Step:  # noqa: ARG001
    """The supervisor knows that it cannot run; what runs does not fail."""
    if life.stage in LIVE:
        return life, ()
    return fail(life, event.reason, (Disarm(Timer.BACKOFF),))
