"""Whether, and how soon, a failed service is started again: pure decisions on frozen values.

The sliding window is OTP's (``supervisor:add_restart/1``): at most ``intensity`` restarts within
``period_ms``; one more and the supervisor gives up. Delays follow the spec's ``restart`` section:
``backoff_ms * backoff_factor ** n``, spread by a tenth either way so that services which failed
together do not return together, and never more than ``backoff_max_ms``.
"""

from __future__ import annotations

import msgspec

from bundlevisor.manifest.format.policy import RestartPolicy, Supervision

JITTER = 0.1


class History(msgspec.Struct, frozen=True):
    """What a service's restarts so far say. Times are monotonic seconds."""

    recent: tuple[float, ...] = ()
    """When it was restarted, within the period."""
    attempt: int = 0
    """Failures in a row since the last stable run."""
    total: int = 0
    """Automatic restarts since the runtime started."""


class Again(msgspec.Struct, frozen=True):
    """Start it again after ``delay`` seconds."""

    delay: float
    history: History


class GiveUp(msgspec.Struct, frozen=True):
    """Leave it down; ``reason`` says why in a few words, ``failed`` whether that is a failure."""

    reason: str
    failed: bool


def after_exit(
    policy: RestartPolicy,
    history: History,
    *,
    now: float,
    ready_for: float | None,
    clean: bool,
    cause: str,
    jitter: float,
) -> Again | GiveUp:
    """Decide what follows the end of a run that nobody asked for.

    ``ready_for`` is how many seconds the run had been ready (None: never), ``clean`` whether it
    ended with status 0 after it was ready, ``jitter`` a random number in [0, 1).
    """
    if policy.policy == "never" or (policy.policy == "on_failure" and clean):
        return GiveUp(cause, failed=not clean)
    period = policy.period_ms / 1000
    recent = tuple(t for t in history.recent if now - t < period)
    if len(recent) >= policy.intensity:
        if policy.intensity == 0:
            return GiveUp(f"{cause}; restart.intensity is 0", failed=True)
        times = "once" if len(recent) == 1 else f"{len(recent)} times"
        return GiveUp(f"gave up: {cause}; restarted {times} within {period:g} s", failed=True)
    stable = ready_for is not None and ready_for >= period
    attempt = 0 if stable else history.attempt
    immediate = attempt == 0 and ready_for is not None
    delay = 0.0 if immediate else backoff(policy, attempt, ready_for is None, jitter)
    return Again(delay, History((*recent, now), attempt + 1, history.total + 1))


def with_group(
    supervision: Supervision, earlier: tuple[float, ...], *, now: float, cause: str
) -> tuple[float, ...] | GiveUp:
    """Decide whether a group may restart once more; return when it was restarted, this one too.

    ``earlier`` is what was returned the last time.
    """
    period = supervision.period_ms / 1000
    recent = tuple(t for t in earlier if now - t < period)
    if len(recent) < supervision.intensity:
        return (*recent, now)
    often = f"its group was restarted {len(recent)} times within {period:g} s"
    return GiveUp(f"gave up: {cause}; {often}", failed=True)


def backoff(policy: RestartPolicy, attempt: int, never_ready: bool, jitter: float) -> float:
    """Return the delay in seconds before the next start.

    A run that was ready has its first restart at once, so its second failure is the first delay.
    """
    exponent = attempt if never_ready else attempt - 1
    try:
        nominal = policy.backoff_ms * policy.backoff_factor ** max(exponent, 0)
    except OverflowError:
        nominal = policy.backoff_max_ms
    longest = policy.backoff_max_ms
    spread = min(nominal, longest) * (1 + JITTER * (2 * jitter - 1))
    return min(spread, 2 * longest - spread) / 1000  # mirrored, that many do not wait just longest
