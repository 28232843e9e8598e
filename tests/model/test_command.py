"""Random sequences on the installed command come to what the rules say, and leave nothing.

Each bundle, command and fault is drawn from the run's seed. ``BUNDLEVISOR_MODEL_SEQUENCES=1000``
in the environment plays so many. What fails is told as a list of calls, to be pasted.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.testing import Bundle, Runtime
from tests.model import rules

SEQUENCES = int(os.environ.get("BUNDLEVISOR_MODEL_SEQUENCES") or 3)
STEPS = 6
PERIOD_S = 600
Step = tuple[str, str]


class Expected:
    """A bundle that is at rest after each step."""

    def __init__(self, needs: rules.Needs, policies: dict[str, rules.Policy], group: rules.Group):
        self.needs = needs
        self.bundle = rules.Bundle(needs)
        self.restarts = {id_: rules.Restarts(policy) for id_, policy in policies.items()}
        self.group = group
        self.states = dict.fromkeys(needs, "ready")

    def step(self, what: str, id_: str, now: float) -> None:
        """Do one step, and let all that waits start if it may."""
        if what in ("stop", "start", "restart"):
            self.bundle.command(what, id_)
            self._commanded(what, id_)
        elif self.states[id_] == "ready":
            self._ends(id_, now, clean=what == "exit 0")
        for other in self.needs:  # dependencies come first
            if self.states[other] == "waiting" and self._may_start(other):
                self.states[other] = "ready"

    def _commanded(self, what: str, id_: str) -> None:
        if what == "stop":
            self.states[id_] = "stopped"
            for other, state in self.states.items():
                if id_ in rules.all_needs(self.needs, other) and state == "ready":
                    self.states[other] = "waiting"
            return
        if what == "restart" and self.states[id_] == "ready":
            self._begin_anew(id_)
        for other in (id_, *rules.all_needs(self.needs, id_)):
            if self.states[other] in rules.AT_REST:
                self.states[other] = "waiting"
                self.restarts[other].forgive()

    def _ends(self, id_: str, now: float, *, clean: bool) -> None:
        follows = self.restarts[id_].after(now, 0.0, clean=clean)
        if isinstance(follows, str):
            self.states[id_] = follows
            return
        if self._group(id_) and not self.group.allows(now):
            self.states[id_] = "failed"
        else:
            self._begin_anew(id_)

    def _begin_anew(self, id_: str) -> None:
        for other in (*self._group(id_), id_):
            self.states[other] = "waiting"

    def _group(self, id_: str) -> set[str]:
        live = [other for other, state in self.states.items() if state == "ready"]
        return self.group.others(self.needs, id_, live)

    def _may_start(self, id_: str) -> bool:
        return all(self.states[other] == "ready" for other in self.needs[id_])


def drawn(dice: random.Random, folder: Path) -> tuple[Bundle, Expected]:
    """Draw a bundle of up to five services and its rules."""
    strategy = dice.choice(["one_for_one", "rest_for_one", "one_for_all"])
    intensity = dice.randrange(3)
    bundle = Bundle(folder).set(
        supervision={"strategy": strategy, "intensity": intensity, "period_ms": PERIOD_S * 1000}
    )
    needs: dict[str, tuple[str, ...]] = {}
    policies = {}
    for number in range(dice.randint(1, 5)):
        id_ = f"s{number}"
        earlier = dice.sample(sorted(needs), min(len(needs), dice.randrange(3)))
        policy = rules.Policy(
            dice.choice(["on_failure", "always", "never"]), dice.randrange(3), PERIOD_S, 0.02
        )
        needs[id_], policies[id_] = tuple(earlier), policy
        bundle.service(
            id_,
            needs=earlier,
            restart={
                "policy": policy.policy,
                "intensity": policy.intensity,
                "period_ms": PERIOD_S * 1000,
                "backoff_ms": 20,
            },
        )
    return bundle, Expected(needs, policies, rules.Group(strategy, intensity, PERIOD_S))


COMMANDS = ("stop", "start", "restart")
ENDS = ("kill", "exit 0", "exit 1")


def steps(dice: random.Random, ids: list[str]) -> Iterator[Step]:
    for _ in range(STEPS):
        yield dice.choice([*COMMANDS, *ENDS]), dice.choice(ids)


def play(runtime: Runtime, expected: Expected, what: str, id_: str) -> None:
    """Do one step for real and hold what is shown to the rules."""
    service = runtime.service(id_)
    restarts, ran = service.restarts, expected.states[id_] == "ready"
    expected.step(what, id_, 0.0)
    state = expected.states[id_]
    if what in COMMANDS:
        done = getattr(service, what)()["done"]
        assert done is (state == ("stopped" if what == "stop" else "ready"))
    elif ran:
        seq = runtime.seq
        service.kill() if what == "kill" else service.exit(int(what[-1]))
        runtime.wait_event("service_exit", id_, after=seq)
    again = what in ENDS and ran and state == "ready"

    def so() -> bool:
        details = runtime.get("/readyz").json()["details"]
        states = {name: one["state"] for name, one in details.items()}
        return states == expected.states and details[id_]["restarts"] >= restarts + again

    runtime.wait(so, f"{expected.states} after {what} {id_}")
    check_picture(runtime, expected)


def check_picture(runtime: Runtime, expected: Expected) -> None:
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


@pytest.mark.timeout(120 + 60 * SEQUENCES)
@pytest.mark.parametrize("number", range(SEQUENCES))
def test_the_command_does_what_the_rules_say(
    tmp_path: Path, dice: random.Random, number: int
) -> None:
    bundle, expected = drawn(dice, tmp_path)
    played: list[Step] = []
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        try:
            for step in steps(dice, list(expected.needs)):
                played.append(step)
                play(runtime, expected, *step)
        except AssertionError as error:
            error.add_note(f"the bundle: {bundle.document['services']}")
            error.add_note("\n".join(f"play(runtime, expected, {w!r}, {i!r})" for w, i in played))
            raise
        seqs = [event["seq"] for event in runtime.events]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
