"""Parameters of requests: what there are, told to the description, and how they are read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from bundlevisor.control.wire.bounds import (
    EVENTS_A_PAGE,
    LATEST,
    LONGEST_TAIL,
    LONGEST_WAIT_S,
    MOST_LINES,
    USUAL_LINES,
)
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.manifest.format.flag import WORDS, parse_bool
from bundlevisor.manifest.format.suggest import hint, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundlevisor.actors.core.snapshot import ServiceView, Snapshot
    from bundlevisor.control.wire.exchange import Request


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter; ``kind`` is a JSON Schema type.

    Numbers outside ``lowest`` to ``highest`` are refused, or taken as the nearest bound where the
    parameter is ``clamped``; a number may also be one of ``words``.
    """

    name: str
    kind: Literal["string", "integer", "number", "boolean"]
    text: str
    required: bool = False
    place: Literal["query", "path"] = "query"
    lowest: int = 0
    highest: int | None = None
    clamped: bool = False
    default: int | None = None
    words: tuple[str, ...] = ()


HIGHEST_SEQ = 2**53

WAIT = Parameter(
    name="wait",
    kind="number",
    text=f"seconds to wait for the outcome; more than {LONGEST_WAIT_S} are taken as that many",
)
SERVICE = Parameter(name="serviceId", kind="string", text="id of a service", required=True)
SERVICES = Parameter(
    name="services", kind="string", text="ids with commas between them; all without it"
)
SINCE = Parameter(
    name="since",
    kind="integer",
    text="only lines of the last so many seconds; 0: of any time",
    highest=10**9,
    clamped=True,
    default=0,
)
PREVIOUS = Parameter(
    name="previous", kind="boolean", text="of the run before the last restart of each service"
)
FOLLOW = Parameter(name="follow", kind="boolean", text="a stream: and those that come")
COMMANDED = Parameter(
    name="service_id", kind="string", text="id of a service", required=True, place="path"
)
STRICT = Parameter(name="strict", kind="boolean", text="answer 503 while not ready")
CHANGE = Parameter(
    name="change", kind="boolean", text="with wait: answer at any change, of a state or progress"
)
CHANGED_AFTER = Parameter(
    name="after",
    kind="integer",
    text="with change: the version that was seen last; without it, that of now",
    highest=HIGHEST_SEQ,
)
EARLIER = Parameter(name="earlier", kind="boolean", text="the last starts of this app-data, too")
TAIL_LINES = Parameter(
    name="lines",
    kind="integer",
    text="so many of the last lines, those within the last 8 MiB",
    lowest=1,
    highest=LONGEST_TAIL,
    clamped=True,
    default=USUAL_LINES,
)
LINES = Parameter(
    name="lines",
    kind="integer",
    text=f"so many of the last lines of each service; of all together {MOST_LINES}, and 8 MiB",
    highest=LONGEST_TAIL,
    clamped=True,
    default=USUAL_LINES,
)
FOLLOW_LINES = Parameter(
    name="lines",
    kind="integer",
    text="so many of the last lines first, those within the last 1 MiB",
    highest=LONGEST_TAIL,
    clamped=True,
    default=0,
)
AFTER = Parameter(
    name="after",
    kind="integer",
    text="the sequence number that was seen last; 'latest' begins now",
    highest=HIGHEST_SEQ,
    default=0,
    words=(LATEST,),
)
LIMIT = Parameter(
    name="limit",
    kind="integer",
    text="events on a page",
    lowest=1,
    highest=EVENTS_A_PAGE,
    default=EVENTS_A_PAGE,
)


def whole_number(req: Request, parameter: Parameter) -> int:
    """Return a parameter of the query, or its default; Refusal 400 for no number, or out of it."""
    text = req.get_param(parameter.name)
    lowest, highest = parameter.lowest, parameter.highest
    if text is None and parameter.default is not None:
        return parameter.default
    digits = (text or "").removeprefix("-")
    if digits.isascii() and digits.isdigit():
        number = int((text or "")[:20])  # longer ones are beyond every bound as well
        nearest = max(lowest, number if highest is None else min(number, highest))
        if parameter.clamped or nearest == number:
            return nearest
    bounds = f" from {lowest} to {highest}" * (not parameter.clamped)
    words = f", or {quoted(parameter.words, 'or')}" if parameter.words else ""
    sentence = f"{parameter.name} must be a whole number{bounds}{words}"
    raise Refusal(400, f"bad_{parameter.name}", sentence)


def yes_or_no(req: Request, parameter: Parameter) -> bool:
    """Return a parameter that is true or false, false without it; Refusal 400 for other words."""
    text = req.get_param(parameter.name)
    said = text is not None and parse_bool(text)
    if said is None:
        raise Refusal(400, f"bad_{parameter.name}", f"{parameter.name} is neither {WORDS}")
    return said


def seconds(req: Request, parameter: Parameter) -> float | None:
    """Return a parameter in seconds, at most a minute, None without it; Refusal 400 for others."""
    text = req.get_param(parameter.name)
    if text is None:
        return None
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        sentence = f"{parameter.name} must be a number of seconds, 0 or more"
        raise Refusal(400, f"bad_{parameter.name}", sentence)
    return min(number, float(LONGEST_WAIT_S))


def unknown_parameter(path: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence about a parameter that an address does not know."""
    names = tuple(known)
    takes = f"it takes {quoted(names)}" if names else "it takes none"
    return f"{path} has no parameter '{name[:80]}'{hint(name, names)}; {takes}"


def known_service(snapshot: Snapshot, service_id: str) -> ServiceView:
    """Return the view of a service; Refusal 404 when the bundle has no such service."""
    view = snapshot.services.get(service_id)
    if view is None:
        known = ", ".join(snapshot.services)
        sentence = f"there is no service '{service_id}' in this bundle; it has {known}"
        raise Refusal(404, "unknown_service", sentence)
    return view


def named_service(req: Request, snapshot: Snapshot) -> ServiceView:
    """Return the view of ``?serviceId=``; Refusal 400 without it, 404 when it is unknown."""
    service_id = req.get_param(SERVICE.name)
    if not service_id:
        raise Refusal(400, "missing_service_id", "say which service: ?serviceId=<id>")
    return known_service(snapshot, service_id)
