"""The pieces of the API wait for a busy loop, and for nothing when the API is wanted."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.snapshot import State
from bundlevisor.actors.stand_ins import for_api
from bundlevisor.control.run import api_import
from bundlevisor.control.run.api_import import import_api
from tests.control.fake_runtime import snapshot_of, view
from tests.waiting import WITHIN

PACKAGE = "waitress_as_a_test_has_it"
PIECES = ["urls", *(f"{PACKAGE}{name}" for name in ("", ".first", ".second"))]
"""As they come, each before those that it imports."""


class BusyLoop:
    is_busy = True


class Came(list[str]):
    """Does something when a certain one comes."""

    def __init__(self) -> None:
        super().__init__()
        self.then: dict[str, Callable[[], object]] = {}

    def append(self, name: str) -> None:
        super().append(name)
        self.then.get(name, bool)()


class Wanted(threading.Event):
    """Sees how much has come at each look, and does something at one of them."""

    def __init__(self, came: list[str]) -> None:
        super().__init__()
        self.came = came
        self.seen: list[int] = []
        self.then: dict[int, Callable[[], object]] = {}

    def wait(self, timeout: float | None = None) -> bool:
        self.seen.append(len(self.came))
        self.then.get(len(self.seen), bool)()
        return self.is_set()


@pytest.fixture
def board() -> Board:
    return Board(snapshot_of(view("db", State.STARTING)))


@pytest.fixture
def wanted(came: Came) -> Wanted:
    return Wanted(came)


@pytest.mark.usefixtures("patient")
def test_while_the_loop_is_busy_no_piece_comes_until_the_api_is_wanted(
    came: Came, board: Board, wanted: Wanted
) -> None:
    loop: Any = BusyLoop()
    wanted.then[3] = wanted.set
    import_api(loop, board, wanted)
    assert wanted.seen[:3] == [0, 0, 0]
    assert came == PIECES


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("state", [State.READY, State.FAILED])
def test_no_piece_waits_for_a_loop_that_is_busy_once_readiness_is_decided(
    came: Came, board: Board, wanted: Wanted, state: State
) -> None:
    loop: Any = BusyLoop()
    wanted.then[2] = lambda: board.publish(snapshot_of(view("db", state)))
    import_api(loop, board, wanted)
    assert wanted.seen == [0, 0]
    assert came == PIECES


@pytest.mark.usefixtures("patient")
def test_a_loop_that_becomes_busy_is_waited_for_within_an_import(
    came: Came, board: Board, wanted: Wanted
) -> None:
    loop: Any = BusyLoop()
    loop.is_busy = False
    came.then[f"{PACKAGE}.first"] = lambda: setattr(loop, "is_busy", True)
    wanted.then[3] = lambda: setattr(loop, "is_busy", False)
    import_api(loop, board, wanted)
    assert wanted.seen == [3, 3, 3]
    assert came == PIECES


@pytest.mark.usefixtures("patient")
def test_the_loop_that_is_waited_for_can_import_meanwhile(
    came: Came, board: Board, wanted: Wanted, tmp_path: Path
) -> None:
    """It stood still for as long as it was waited for, and with it every service."""
    (tmp_path / "of_the_loop_in_a_test.py").touch()
    loop: Any = BusyLoop()
    loop.is_busy = False
    came.then[f"{PACKAGE}.first"] = lambda: setattr(loop, "is_busy", True)

    def import_something() -> None:
        __import__("of_the_loop_in_a_test")
        loop.is_busy = False

    def let_it_import() -> None:
        importing = threading.Thread(target=import_something, daemon=True)
        importing.start()
        importing.join(WITHIN)

    wanted.then[1] = let_it_import
    wanted.then[2] = wanted.set
    import_api(loop, board, wanted)
    assert "of_the_loop_in_a_test" in sys.modules
    assert wanted.seen == [3]
    assert came == PIECES


def test_other_threads_and_other_modules_wait_for_no_loop() -> None:
    looks: list[str] = []
    pauses = api_import.Pauses(lambda: looks.append("looked"))
    other = threading.Thread(target=pauses.find_spec, args=("waitress.task",))
    other.start()
    other.join()
    pauses.find_spec("bundlevisor.actors.logs.secret_forms")
    pauses.find_spec("re")
    assert looks == []
    pauses.find_spec("bundlevisor.control.http.server")
    assert looks == ["looked"]


def test_afterwards_nothing_waits_for_a_loop(came: Came, board: Board, wanted: Wanted) -> None:
    before = list(sys.meta_path)
    wanted.set()
    import_api(BusyLoop(), board, wanted)  # type: ignore[arg-type]
    assert came == PIECES
    assert sys.meta_path == before


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_import, "PATIENCE", 3600.0)


@pytest.fixture
def came(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Came]:
    """What has come: of urls, and of a package whose modules import each other."""
    found = Came()
    monkeypatch.setitem(sys.modules, "came_in_this_test", found)
    says = "\nimport came_in_this_test\ncame_in_this_test.append(__name__)\n"
    (tmp_path / PACKAGE).mkdir()
    for name, imports in (("__init__", ".first"), ("first", ".second"), ("second", "")):
        line = f"import {PACKAGE}{imports}" if imports else ""
        (tmp_path / PACKAGE / f"{name}.py").write_text(says + line)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(for_api, "import_urls", lambda: found.append("urls"))
    monkeypatch.setattr(for_api, "import_waitress", lambda: __import__(PACKAGE))
    yield found
    ours = (PACKAGE, "of_the_loop_in_a_test")
    for name in [name for name in sys.modules if name.startswith(ours)]:
        del sys.modules[name]
