"""The pieces of the API wait for a busy loop, and for nothing when the API is wanted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bundlevisor.actors.core.snapshot import Board, State
from bundlevisor.control.boot.stand_ins import for_api
from bundlevisor.control.run import api_import
from tests.control.fake_runtime import snapshot_of, view

ALL = ["urls", "waitress", *(f"bundlevisor.{name}" for name in api_import.PIECES)]


class BusyLoop:
    is_busy = True


class WantedAtTheThirdLook(threading.Event):
    def __init__(self, came: list[str]) -> None:
        super().__init__()
        self.came = came
        self.seen: list[int] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seen.append(len(self.came))
        if len(self.seen) == 3:
            self.set()
        return self.is_set()


@pytest.mark.usefixtures("patient")
def test_while_the_loop_is_busy_no_piece_comes_until_the_api_is_wanted(came: list[str]) -> None:
    loop: Any = BusyLoop()
    wanted = WantedAtTheThirdLook(came)
    api_import.import_api(loop, Board(snapshot_of(view("db", State.STARTING))), wanted)
    assert wanted.seen[:3] == [0, 0, 0]
    assert came == ALL


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("state", [State.READY, State.FAILED])
def test_no_piece_waits_for_a_loop_that_is_busy_once_readiness_is_decided(
    came: list[str], state: State
) -> None:
    loop: Any = BusyLoop()
    board = Board(snapshot_of(view("db", State.STARTING)))

    class Deciding(WantedAtTheThirdLook):
        def wait(self, timeout: float | None = None) -> bool:
            self.seen.append(len(came))
            board.publish(snapshot_of(view("db", state)))
            return False

    wanted = Deciding(came)
    api_import.import_api(loop, board, wanted)
    assert wanted.seen == [0]
    assert came == ALL


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_import, "PATIENCE", 3600.0)


@pytest.fixture
def came(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(for_api, "import_urls", lambda: found.append("urls"))
    monkeypatch.setattr(for_api, "import_waitress", lambda: found.append("waitress"))
    monkeypatch.setattr(api_import, "import_module", found.append)
    return found
