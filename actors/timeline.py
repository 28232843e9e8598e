"""What took how long from exec to ready: marks while it happens, and what they mean afterwards.

Marks are taken on the monotonic clock. Recording one is an append to a list, so that it may be done
anywhere; only the first start of each service is recorded.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping

import msgspec

EXEC, INTERPRETER, MANIFEST, SOCKET, PORTS, API = (
    "exec",
    "interpreter",
    "manifest",
    "socket",
    "ports",
    "api",
)
"""Milestones of the runtime: the process begins, Python runs our first line, the manifest is
checked, the control port listens, ports are chosen, the control API answers."""
SPAWNED, OUTPUT, LISTENING, READY = ("spawned", "output", "listening", "ready")
"""Milestones of a service."""


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One service's first start. Milliseconds since exec; None: has not happened."""

    id: str
    dependencies: tuple[str, ...] = ()
    waiting_ms: float = 0.0
    """When it could have started had it had no dependencies: when ports were chosen."""
    spawned_ms: float | None = None
    output_ms: float | None = None
    listening_ms: float | None = None
    ready_ms: float | None = None
    critical: bool = False
    """It lies on the critical path."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One start of the runtime. Milliseconds since exec."""

    instance_id: str
    started_at: str
    """When exec was, RFC 3339 UTC."""
    app_version: str
    ready_ms: float | None = None
    summary: str = ""
    runtime: dict[str, float] = {}
    services: tuple[Span, ...] = ()


class Recorder:
    """Collects the marks of one start; safe from any thread."""

    def __init__(self, interpreter_at: float) -> None:
        self._marks: dict[tuple[str, str], float] = {}
        self.exec_at = exec_time()
        self.mark(EXEC, at=self.exec_at)
        self.mark(INTERPRETER, at=interpreter_at)

    def mark(self, what: str, service: str = "", at: float | None = None) -> None:
        """Note that something has happened for the first time; later ones are passed over."""
        self._marks.setdefault((service, what), time.monotonic() if at is None else at)

    def since_exec(self) -> dict[tuple[str, str], float]:
        """Return the marks, by service and milestone, in milliseconds since exec."""
        return {key: round((at - self.exec_at) * 1000, 2) for key, at in list(self._marks.items())}


def exec_time() -> float:
    """Return when this process was started, on the monotonic clock.

    Linux says it in ticks of 10 ms (proc(5), starttime); the processor time that has been used
    since narrows it down, because so far nothing was waited for.
    """
    now = time.monotonic()
    estimate = now - time.process_time()
    if sys.platform != "linux":
        return estimate
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - now
        tick = 1 / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return estimate
    earliest = ticks * tick - asleep
    return min(max(estimate, earliest), earliest + tick)


def assemble(
    marks: Mapping[tuple[str, str], float],
    dependencies: Mapping[str, tuple[str, ...]],
    *,
    instance_id: str,
    started_at: str,
    app_version: str,
) -> Timeline:
    """Make the timeline of a start from its marks, with its critical path and its summary."""
    spans = {id_: _span(id_, needs, marks) for id_, needs in dependencies.items()}
    path = critical_path(spans)
    finished = [span.ready_ms for span in spans.values()]
    ready = max((at for at in finished if at is not None), default=None)
    complete = bool(finished) and None not in finished
    return Timeline(
        instance_id=instance_id,
        started_at=started_at,
        app_version=app_version,
        ready_ms=ready if complete else None,
        summary=summarise(spans, path) if complete else "not ready yet",
        runtime={what: at for (service, what), at in marks.items() if not service},
        services=tuple(
            msgspec.structs.replace(span, critical=id_ in path) for id_, span in spans.items()
        ),
    )


def critical_path(spans: Mapping[str, Span]) -> list[str]:
    """Return the chain of services that decided when everything was ready, first one first."""
    path: list[str] = []
    current = _latest(spans, spans)
    while current is not None:
        path.append(current)
        current = _latest(spans, spans[current].dependencies)
    return path[::-1]


def summarise(spans: Mapping[str, Span], path: list[str]) -> str:
    """Say in one sentence where the time went: the longest part of the critical path."""
    if not path:
        return "nothing was started"
    total = spans[path[-1]].ready_ms or 0.0
    parts: list[tuple[float, str]] = []
    before = 0.0
    for id_ in path:
        spawned, ready = spans[id_].spawned_ms or 0.0, spans[id_].ready_ms or 0.0
        parts.append((spawned - before, f"until '{id_}' was started"))
        parts.append((ready - spawned, f"'{id_}' starting"))
        before = ready
    longest, what = max(parts)
    return f"ready after {total:.0f} ms: {longest:.0f} ms of it is {what}"


def _span(id_: str, needs: tuple[str, ...], marks: Mapping[tuple[str, str], float]) -> Span:
    return Span(
        id=id_,
        dependencies=needs,
        waiting_ms=marks.get(("", PORTS), 0.0),
        spawned_ms=marks.get((id_, SPAWNED)),
        output_ms=marks.get((id_, OUTPUT)),
        listening_ms=marks.get((id_, LISTENING)),
        ready_ms=marks.get((id_, READY)),
    )


def _latest(spans: Mapping[str, Span], ids: Iterable[str]) -> str | None:
    """Return the one that was ready last; services that are not ready count for nothing."""
    ready = [(at, id_) for id_ in ids if id_ in spans and (at := spans[id_].ready_ms) is not None]
    return max(ready)[1] if ready else None
