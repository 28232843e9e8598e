"""A sequence is played on the installed command and held to the rules after each step."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bundlevisor.testing import Runtime
from bundlevisor.testing.deadline import WITHIN
from tests.model import rules
from tests.model.case import COMMANDS, ENDS, Case, bundle_of, expected_of, source
from tests.model.expected import Expected
from tests.model.shrink import shrunk

SHORT_S = 5.0
"""The deadline of each wait while a sequence is shrunk; what comes out has the full one again."""
WAITED_S = 60
"""Longer than any answer may take: what rests is ready, or will not be by itself."""
FAILURES = (AssertionError, OSError, http.client.HTTPException, ValueError, KeyError)
"""A wait without success, a wrong value, a runtime that is gone, an answer that is none."""


def play(
    case: Case, folder: Path, command: Sequence[str] | None = None, within: float = WITHIN
) -> None:
    """Play it; AssertionError, or another of FAILURES, when the product does not do as it should.

    ``within`` is the deadline of each wait in seconds.
    """
    expected = expected_of(case)
    with Runtime(bundle_of(case, folder), command=command) as runtime:
        runtime.wait_ready(within)
        for what, id_ in case.steps:
            do(runtime, expected, what, id_, within)
        seqs = [event["seq"] for event in runtime.events]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "a number of an event is missing"


def play_and_shrink(case: Case, folder: Path, command: Sequence[str] | None = None) -> None:
    """Play it; a failure has the smallest sequence that was found beside it, as a test."""
    numbers = itertools.count()

    def fails(variant: Case, within: float = SHORT_S) -> bool:
        try:
            play(variant, folder / f"variant-{next(numbers)}", command, within)
        except FAILURES:
            return True
        return False

    try:
        play(case, folder / "case", command)
    except FAILURES as failure:
        smallest = shrunk(case, fails)
        if not fails(smallest, WITHIN):  # it was only slow
            smallest = case
        failure.add_note(f"To repeat it:\n\n{source(smallest)}")
        raise


def do(runtime: Runtime, expected: Expected, what: str, id_: str, within: float) -> None:
    """Do one step for real and hold what is shown to the rules."""
    service = runtime.service(id_)
    restarts, ran = service.restarts, expected.states[id_] == "ready"
    expected.step(what, id_)
    state = expected.states[id_]
    if what in COMMANDS:
        answer = getattr(service, what)(within)
        assert answer["done"] is (state == ("stopped" if what == "stop" else "ready")), answer
    elif ran:
        seq = runtime.seq
        service.kill() if what == "kill" else service.exit(int(what[-1]))
        runtime.wait_event("service_exit", id_, after=seq, within=within)
    again = what in ENDS and ran and state == "ready"

    def so() -> bool:
        details = runtime.get("/readyz").json()["details"]
        states = {name: one["state"] for name, one in details.items()}
        return states == expected.states and details[id_]["restarts"] >= restarts + again

    runtime.wait(so, f"{expected.states} after {what} {id_}", within)
    check_picture(runtime, expected)
    outlook = runtime.get(f"/readyz?wait={WAITED_S}", timeout=within).json()  # answers at once
    assert outlook["ready"] is (set(expected.states.values()) == {"ready"}), outlook


def check_picture(runtime: Runtime, expected: Expected) -> None:
    """Hold what is shown of all services at one moment to the rules."""
    services = runtime.get("/status").json()["services"]
    rows: dict[str, Any] = {row["id"]: row for row in services}
    down = expected.bundle.down
    shown = {
        id_: rules.Shown(
            row["state"],
            id_ in down,
            row.get("message", "").startswith("blocked: "),
            tuple(row.get("waiting_for", ())),
        )
        for id_, row in rows.items()
    }
    assert rules.wrong_in_picture(expected.needs, shown, {}) == []
