"""Why a service is in its state, back to the root cause: from the API's answers to sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

Details = Mapping[str, dict[str, Any]]
Event = dict[str, Any]

TOLD = 8
"""So many of the newest events of a service are shown."""
QUIET = ("port_assigned", "service_start", "api_request", "files_changed")
"""Events that explain nothing by themselves."""
NOT_STARTED = "service_start_failed"
EXIT = "service_exit"
MIGRATION_FAILED = "migration_failed"
ATTEMPTS = (MIGRATION_FAILED, NOT_STARTED, EXIT, "service_not_ready", "unhealthy")
"""Events that tell how an attempt to run a service has failed."""
SILENT = ("ready", "waiting", "inactive")
"""States in which a log's last lines say nothing: all is well, or they are of an earlier run."""
HELP = {
    "failed": "see what it says (bundlevisor logs {id}), mend it, then: bundlevisor start {id}",
    "stopped": "start it: bundlevisor start {id}",
    "unhealthy": "it runs and its health check fails: bundlevisor logs {id}",
    "not started": (
        "mend that (bundlevisor validate says all that is missing), then: bundlevisor start {id}"
    ),
    "no gpu": "a GPU is looked for when the runtime starts: start it again where there is one",
    "backoff": "it is started again by itself; see why it ends: bundlevisor logs {id}",
    "killed": (
        "something outside has killed it, often the system: for want of memory (its log tells, on"
        " Linux: journalctl -k), or on macOS because a program is not signed, or not as it is now"
        " (codesign --verify FILE); to start it now: bundlevisor start {id}"
    ),
    "starting": "it has been started and is not ready yet: bundlevisor logs -f {id}",
}
UNSTARTED = ("no gpu", "not started")
"""Keys of HELP for what has failed before anything of it ran."""


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """One service on the way to the root cause."""

    id: str
    state: str
    message: str = ""
    needs: tuple[str, ...] = ()
    """Services that it waits for."""
    secrets: tuple[str, ...] = ()
    """Secrets that it waits for."""
    advice: str = ""
    """What helps; empty where nothing has to be done, and on all but root causes."""
    events: tuple[Event, ...] = ()
    output: tuple[str, ...] = ()
    """The lines around what went wrong, or its last ones."""

    @property
    def is_root(self) -> bool:
        """Whether the cause lies with this service."""
        return not self.needs


class Explanation(msgspec.Struct, frozen=True):
    """The services from the one that was asked for to the root causes, in that order."""

    links: tuple[Link, ...]

    @property
    def roots(self) -> tuple[str, ...]:
        """Return the ids of those with whom the cause lies."""
        return tuple(link.id for link in self.links if link.is_root)


def explain(
    id_: str, details: Details, events: Iterable[Event], tails: Mapping[str, tuple[str, ...]]
) -> Explanation:
    """Follow what a service waits for; ``details`` are those of ``/readyz``, ``events`` the newest
    ones, of which those before this start explain nothing.

    ``tails`` are last lines of logs, by service, for root causes whose failure the runtime has not
    found in their output. Raises KeyError for a service that is not there.
    """
    by_service: dict[str | None, list[Event]] = {}
    for event in events:
        if event["event"] == "runtime_start":
            by_service.clear()
        by_service.setdefault(event.get("service_id"), []).append(event)
    links = []
    for name in way(id_, details):
        one = details[name]
        waits = tuple(one.get("waiting_for") or ())
        needs = tuple(other for other in waits if other in details)
        secrets = tuple(other for other in waits if other not in details)
        telling = [event for event in by_service.get(name, ()) if event["event"] not in QUIET]
        case = _case(one, telling)
        has_tail = not telling or case not in UNSTARTED  # else it is that of an earlier start
        links.append(
            Link(
                id=name,
                state=str(one["state"]),
                message=str(one.get("message") or ""),
                needs=needs,
                secrets=secrets,
                advice="" if needs else _advice(name, one, secrets, case),
                events=tuple(telling[-TOLD:]),
                output=() if needs else _output(one, tails.get(name, ()) if has_tail else ()),
            )
        )
    return Explanation(tuple(links))


def way(id_: str, details: Details) -> list[str]:
    """Return the services from one to its root causes, each once. KeyError for an unknown one."""
    found: dict[str, None] = {}
    open_ = [id_]
    while open_:
        name = open_.pop(0)
        if name not in found:
            found[name] = None
            open_ += [one for one in details[name].get("waiting_for") or () if one in details]
    return list(found)


def _case(one: dict[str, Any], telling: Sequence[Event]) -> str:
    """Return what helps, as a key of HELP: that of the state, but where it was killed from outside,
    or has failed before anything of it ran, also no migration. Where nothing is told of it any
    more, the latter is assumed.
    """
    attempts = [event["event"] for event in telling if event["event"] in ATTEMPTS]
    has_run = attempts[-1:] not in ([], [NOT_STARTED]) or attempts[-2:-1] == [MIGRATION_FAILED]
    if one["state"] not in ("failed", "backoff") or has_run or one.get("output"):
        ends = [event for event in telling if event["event"] == EXIT]
        killed = one["state"] in ("failed", "backoff") and ends and _was_killed(ends[-1])
        return "killed" if killed else str(one["state"])
    lacks_gpu = any(event["event"] == "gpu_required_missing" for event in telling)
    return "no gpu" if lacks_gpu else "not started"


def _was_killed(end: Event) -> bool:
    """Whether SIGKILL has ended it, and not we."""
    said = end.get("details") or {}
    return said.get("exit_code") == -9 and said.get("by") == "itself"


def _advice(id_: str, one: dict[str, Any], secrets: tuple[str, ...], case: str) -> str:
    if secrets and ": " not in str(one.get("message")):  # else it says what keeps it away
        return "; ".join(f"give it its secret: bundlevisor secrets set {name}" for name in secrets)
    if one["ready"]:
        return ""
    return HELP.get(case, "").format(id=id_)


def _output(one: dict[str, Any], tail: tuple[str, ...]) -> tuple[str, ...]:
    said = one.get("output") or {}
    lines = said.get("lines") if isinstance(said, dict) else said
    return tuple(lines or ()) or (() if one["state"] in SILENT else tail)
