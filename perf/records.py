"""What the services themselves wrote down: the only clock that a runtime cannot flatter."""

from __future__ import annotations

import msgspec


class Incarnation(msgspec.Struct, frozen=True):
    """One process of a service. Times are nanoseconds of CLOCK_MONOTONIC, 0 when not seen.

    ``start`` is read at the beginning of its main(): exec and the loader's work lie before it,
    and nothing is subtracted for them.
    """

    service: str
    pid: int
    start: int
    listen: int = 0
    stop: int = 0


def parse(text: str) -> list[Incarnation]:
    """Return the incarnations in the order of their starts; a torn last line is ignored."""
    found: dict[int, dict[str, int]] = {}
    names: dict[int, str] = {}
    for line in text.splitlines(keepends=True):
        words = line.split()
        if not line.endswith("\n") or len(words) != 4:
            continue
        event, service, pid, when = words[0], words[1], int(words[2]), int(words[3])
        names[pid] = service
        found.setdefault(pid, {})[event] = when
    incarnations = [
        Incarnation(
            service=names[pid],
            pid=pid,
            start=events["start"],
            listen=events.get("listen", 0),
            stop=events.get("stop", 0),
        )
        for pid, events in found.items()
        if "start" in events
    ]
    return sorted(incarnations, key=lambda one: one.start)


def read(path: str) -> list[Incarnation]:
    """Parse a record file; one that is not there yet is empty."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read())
    except FileNotFoundError:
        return []


def first_of_each(incarnations: list[Incarnation]) -> dict[str, Incarnation]:
    """Return each service's first incarnation, in the order of their starts."""
    firsts: dict[str, Incarnation] = {}
    for one in incarnations:
        firsts.setdefault(one.service, one)
    return firsts
