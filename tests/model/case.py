"""One sequence for the installed command: a bundle and what is done to it, as a value.

Its ``repr`` and :func:`source` are Python, so that a sequence that fails can be pasted.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from bundlevisor.testing import Bundle
from tests.model import rules
from tests.model.expected import Expected

PERIOD_S = 600
"""Longer than any sequence takes: each failure counts to its end."""
BACKOFF_MS = 20
POLICIES = ("on_failure", "always", "never")
STRATEGIES = ("one_for_one", "rest_for_one", "one_for_all")
COMMANDS = ("stop", "start", "restart")
ENDS = ("kill", "exit 0", "exit 1")
Step = tuple[str, str]
"""What is done, and to which service."""


class One(NamedTuple):
    """A service."""

    id: str
    needs: tuple[str, ...] = ()
    policy: str = POLICIES[0]
    intensity: int = 0


class Case(NamedTuple):
    """A sequence; the defaults are the simplest values."""

    services: tuple[One, ...]
    steps: tuple[Step, ...]
    strategy: str = STRATEGIES[0]
    intensity: int = 0


def drawn(dice: random.Random) -> Case:
    """Draw a bundle of up to five services and up to a dozen steps."""
    strategy, intensity = dice.choice(STRATEGIES), dice.randrange(3)
    services: list[One] = []
    for number in range(dice.randint(1, 5)):
        earlier = [one.id for one in services]
        needs = dice.sample(earlier, min(len(earlier), dice.randrange(3)))
        services.append(One(f"s{number}", tuple(needs), dice.choice(POLICIES), dice.randrange(3)))
    steps = [
        (dice.choice([*COMMANDS, *ENDS]), dice.choice(services).id)
        for _ in range(dice.randint(4, 12))
    ]
    return Case(tuple(services), tuple(steps), strategy, intensity)


def bundle_of(case: Case, folder: Path) -> Bundle:
    """Return its bundle, made of the kit's services."""
    period = {"period_ms": PERIOD_S * 1000}
    supervision = {"strategy": case.strategy, "intensity": case.intensity, **period}
    bundle = Bundle(folder).set(supervision=supervision)
    for one in case.services:
        restart = {"policy": one.policy, "intensity": one.intensity, "backoff_ms": BACKOFF_MS}
        bundle.service(one.id, needs=one.needs, restart={**restart, **period})
    return bundle


def expected_of(case: Case) -> Expected:
    """Return what the rules say of it before its first step."""
    policies = {
        one.id: rules.Policy(one.policy, one.intensity, PERIOD_S, BACKOFF_MS / 1000)
        for one in case.services
    }
    group = rules.Group(case.strategy, case.intensity, PERIOD_S)
    return Expected({one.id: one.needs for one in case.services}, policies, group)


def source(case: Case) -> str:
    """Return it as a test, to be pasted into ``tests/model/test_command.py``."""
    lines = ["def test_found(tmp_path: Path) -> None:", "    case = Case("]
    for name in ("services", "steps"):
        lines.append(f"        {name}=(")
        lines += [f"            {item!r}," for item in getattr(case, name)]
        lines.append("        ),")
    lines += [f"        strategy={case.strategy!r},", f"        intensity={case.intensity},"]
    return "\n".join([*lines, "    )", "    play(case, tmp_path)"]) + "\n"
