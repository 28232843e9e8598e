"""Local processes without the token do all they can; who has it is answered, and nothing breaks.

How long that takes is a table to read: ``python -m bundlevisor.perf attack``.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.perf.attacker import SHAPES
from tests.bundle_maker import Run, bundle, running
from tests.waiting import wait_until

CONNECTIONS = 150


@contextlib.contextmanager
def attacked(port: int, shapes: list[str]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for shape in shapes:
            command = [sys.executable, "-m", "bundlevisor.perf.attacker", str(port), shape]
            attacker = stack.enter_context(
                subprocess.Popen([*command, str(CONNECTIONS)], stdout=subprocess.PIPE)
            )
            stack.callback(attacker.kill)
            assert attacker.stdout is not None
            assert attacker.stdout.readline()
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A runtime that is attacked in one way after the other, and then stops as ever."""
    made = bundle(tmp_path_factory.mktemp("attacked")).service("db").write()
    with running(made) as run:
        run.until_ready()
        yield run
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
        assert "error" not in run.stderr.lower(), run.stderr


@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_asks_beside_an_attack_is_answered(run: Run, shape: str) -> None:
    with attacked(run.port, [shape]):
        for _ in range(3):
            assert run.get("/healthz", token=None).status == 200
            assert run.get("/readyz").json()["ready"]
        assert run.post("/services/db/restart?wait=30").json()["done"]
        assert run.get("/events?limit=1").status == 200


def test_all_attacks_at_once_do_not_keep_it_from_stopping(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made) as run:
        run.until_ready()
        with attacked(run.port, list(SHAPES)[:4]):
            wait_until(lambda: run.get("/readyz").status == 200, 30, "an answer")
            assert run.post("/shutdown").status == 202
            assert run.wait_gone() == 0
        assert "error" not in run.stderr.lower(), run.stderr
