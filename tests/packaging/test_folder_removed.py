"""An updater removes the shipped folder while it runs, as with any other installation."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, bundle, starting, wait_until
from tests.runtime.test_installation_removed import ask_everything, remove, settle


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    return bundle(tmp_path).service("db").service("api", deps=["db"]).service("slow").write()


def test_it_answers_everything_and_stops_in_order(made: Bundle, folder: Path) -> None:
    with starting(made, command=[str(folder / "runtime")]) as run:
        settle(run)
        remove(folder)
        ask_everything(run)
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert "Error" not in run.stderr


def test_the_guardian_does_its_work(made: Bundle, folder: Path) -> None:
    with starting(made, command=[str(folder / "runtime")]) as run:
        settle(run)
        remove(folder)
        run.kill()
        wait_until(lambda: not run.leftovers(), what="the guardian's end")
        died = run.telemetry()[-1]
        assert died["event"] == "runtime_died"
        assert died["details"]["left"] == 0
