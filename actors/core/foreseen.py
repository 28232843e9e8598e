"""The report that a service will give once it has heard an instruction: the supervisor's picture
of it until then. Pure.
"""

from __future__ import annotations

import msgspec

from bundlevisor.actors.core.life import Life
from bundlevisor.actors.core.messages import Instruction, StopService
from bundlevisor.actors.core.report import (
    LIVE,
    RESTING,
    STARTS_AGAIN,
    AfterStop,
    Doing,
    Report,
    Stage,
    StopCause,
)
from bundlevisor.actors.core.restart import History


def obeyed(told: Instruction, report: Report) -> Report:
    """Return the report of a service that was told to stop, or that it may start again."""
    stop = told if isinstance(told, StopService) else StopService(AfterStop.WAIT, STARTS_AGAIN)
    if report.stage in LIVE:
        stage, message = Stage.STOPPING, stop.reason
    elif stop.then is AfterStop.STAY:
        stage, message = Stage.STOPPED, stop.reason
    else:
        stage, message = Stage.WAITING, ""
    return msgspec.structs.replace(
        report,
        stage=stage,
        then=stop.then,
        stop_cause=StopCause.ORDERED,
        message=message,
        ready_at=None,
    )


def starting(report: Report, now: float) -> Report:
    """Return the report of a service that was told to start."""
    return msgspec.structs.replace(
        report,
        stage=Stage.STARTING,
        incarnation=report.incarnation + 1,
        message="starting",
        exit_code=None,
        doing=Doing(),
        begun_at=now,
    )


def failed(report: Report, reason: str) -> Report:
    """Return the report of a service that was told to fail; what runs does not."""
    if report.stage in LIVE:
        return report
    return msgspec.structs.replace(report, stage=Stage.FAILED, message=reason)


def taken_over(report: Report, incarnation: int) -> Report:
    """Return the report of a service whose actor was broken, and has a successor.

    That is a failure of its run, also before there is a process; what rests goes on resting.
    ``incarnation`` is the last run that the broken one knew of: one that it was told to start, and
    had not heard of, keeps its number all the same, as commands may have asked for a later one.
    """
    if report.stage in RESTING:
        return report
    return msgspec.structs.replace(
        report,
        stage=Stage.STOPPING,
        then=AfterStop.RETRY,
        stop_cause=StopCause.BROKEN,
        message="an error in the runtime",
        incarnation=max(incarnation, report.incarnation),
    )


def inherited(report: Report, history: History) -> Life:
    """Return the life of a broken actor's successor, which has heard of no instruction."""
    return Life(
        stage=report.stage,
        incarnation=report.incarnation,
        message=report.message,
        then=report.then,
        stop_cause=report.stop_cause,
        pid=report.pid,
        exit_code=report.exit_code,
        history=history,
        cause=report.message,
        output=report.output,
    )
