"""Commands by the dozen, at any moment: the last one wins, and what is done is done."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until

NEEDS = {"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"], "e": []}
WAITS = ("", "?wait=0.05", "?wait=30")
DONE = {"stop": "stopped", "start": "ready", "restart": "ready"}


def all_needs(id_: str) -> set[str]:
    return set(NEEDS[id_]).union(*(all_needs(other) for other in NEEDS[id_]))


def tardy_services(folder: Path, dice: random.Random, strategy: str) -> Bundle:
    made = bundle(folder).set(supervision={"strategy": strategy, "intensity": 1000})
    for id_, deps in NEEDS.items():
        pause = dice.choice([0, 20, 100])
        made.service(id_, "stops_slowly", deps=deps, options={"stop_ms": pause})
    return made.write()


def command(run: Run, dice: random.Random, down: set[str]) -> None:
    """Give one; ``down`` is who has been stopped by command and not been started since."""
    id_, action, wait = dice.choice(list(NEEDS)), dice.choice(list(DONE)), dice.choice(WAITS)
    answer = run.post(f"/services/{id_}/{action}{wait}")
    assert answer.status == 202, (action, id_, answer.text)
    if action == "stop":
        down.add(id_)
    else:
        down -= {id_, *all_needs(id_)}
    if wait == "?wait=30":
        assert answer.json()["done"] is True, (action, id_, answer.text)
        assert run.service(id_)["state"] == DONE[action], (action, id_)


@pytest.mark.parametrize(("strategy", "seed"), [("one_for_one", 1), ("one_for_all", 5)])
def test_after_any_commands_everything_is_as_the_last_ones_want_it(
    tmp_path: Path, strategy: str, seed: int
) -> None:
    dice = random.Random(seed)
    down: set[str] = set()
    with running(tardy_services(tmp_path, dice, strategy)) as run:
        run.until_ready()
        for _ in range(40):
            command(run, dice, down)
        wanted = {
            id_: "stopped" if id_ in down else "waiting" if all_needs(id_) & down else "ready"
            for id_ in NEEDS
        }

        def states() -> dict[str, str]:
            details = run.get("/readyz").json()["details"]
            return {id_: detail["state"] for id_, detail in details.items()}

        wait_until(lambda: states() == wanted, deadline=30, what=f"{wanted}, with seed {seed}")
