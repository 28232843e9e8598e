"""What is wanted of a service: one value that the last command writes, and what follows from it.

A service of which nothing special is wanted has none. Otherwise it is one of two wishes:

======================= ==================================================================
``down``                it stays down until somebody starts it
a run later than        it is up, by a start that has not happened yet: what runs by now is
``after``               ended, and what rests (failures are reset) waits for its start
======================= ==================================================================

=================== =========================== =========================================
command             when                        what is wanted then
=================== =========================== =========================================
stop                at every moment             ``down``
start               ``down``, or at rest        up; if it is stopping or rests, a later run
start               up, or about to be          as before
restart             it runs or is stopping      a run later than the present one
restart             it rests                    as start
secrets, ports,     ``down``                    as before: these end a run, and start none
a group's restart   else, while it runs         a run later than the present one
bundle stop         at every moment             ``down``, for all; no command is taken any more
=================== =========================== =========================================

The supervisor compares what is wanted with the service's report after every message and gives the
:func:`instruction` that is due. A run is ended when no dependent is left that has to end first
(*deferred*), and as long as it has not been told, a start just takes the stop back. A stop under
way is never taken back: what changes is what follows it. Each instruction has a number that the
actor's reports repeat, so a report from before it was heard is recognised, and dropped.

What is shown as done stays so: a service that :func:`is_ending` is shown as stopping from the
moment of the command, as ready only when no order to end is left, and as stopped only by a stop.
"""

from __future__ import annotations

import msgspec

from bundlevisor.actors.core.messages import Instruction, ResetFailures, StopService
from bundlevisor.actors.core.report import (
    LIVE,
    RESTING,
    RUNNING,
    AfterStop,
    Report,
    Stage,
)

NO_RUN = -1
"""Earlier than every run."""


class Desired(msgspec.Struct, frozen=True):
    """What the last command wants of one service."""

    down: bool = False
    after: int = NO_RUN
    """Only a run later than this incarnation will do."""
    reason: str = ""
    """Why the present run ends, to be shown."""
    resetting: bool = False
    """Somebody asked for the run: earlier failures do not count, and what rests is woken."""


def stopped(reason: str) -> Desired:
    """Return what is wanted after a stop."""
    return Desired(down=True, reason=reason)


def started(before: Desired | None, report: Report, *, by_name: bool) -> Desired | None:
    """Return what is wanted after a start; ``by_name``: of this service, and not of a dependent.

    The start of a dependent wakes what has failed or been stopped, and leaves a pause alone.
    """
    down = before is not None and before.down
    resting = report.stage in RESTING
    paused = report.stage in (Stage.BACKOFF, Stage.STOPPING) and (by_name or down)
    if resting or paused:
        return Desired(after=report.incarnation, reason=_reason(before), resetting=True)
    return None if down else before


def restarted(report: Report, reason: str) -> Desired:
    """Return what is wanted after a restart by command of what is LIVE; what rests is started."""
    return Desired(after=report.incarnation, reason=reason, resetting=True)


def renewed(
    before: Desired | None, report: Report, reason: str, *, resetting: bool = False
) -> Desired | None:
    """Return what is wanted when a run is to be repeated with what is new; a stop stays a stop."""
    if before is not None and before.down:
        return before
    if report.stage in LIVE or (resetting and report.stage in (Stage.FAILED, Stage.BACKOFF)):
        reset = before is not None and before.resetting
        return Desired(after=report.incarnation, reason=reason, resetting=resetting or reset)
    return before


def is_ending(desired: Desired, report: Report) -> bool:
    """Whether the present run has been ordered to end, told or not."""
    return report.stage in LIVE and (desired.down or report.incarnation <= desired.after)


def is_settled(desired: Desired, report: Report) -> bool:
    """Whether nothing is left to be done for it, now or later."""
    return not desired.down and report.incarnation > desired.after


def is_deferred(report: Report) -> bool:
    """Whether an instruction has to wait for the dependents that are ending."""
    return report.stage in RUNNING


def instruction(desired: Desired, report: Report) -> Instruction | None:
    """Return what a service is to be told, None when it does already what is wanted."""
    if desired.down:
        so = report.stage is Stage.STOPPED or _is_stopping(report, AfterStop.STAY)
        return None if so else StopService(AfterStop.STAY, desired.reason)
    so = report.stage is Stage.WAITING or _is_stopping(report, AfterStop.WAIT)
    if so or is_settled(desired, report):
        return None
    if desired.resetting and report.stage not in RUNNING:
        return ResetFailures()
    return StopService(AfterStop.WAIT, desired.reason) if report.stage in LIVE else None


def _is_stopping(report: Report, then: AfterStop) -> bool:
    return report.stage is Stage.STOPPING and report.then is then


def _reason(before: Desired | None) -> str:
    return before.reason if before is not None else ""
