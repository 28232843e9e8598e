"""An error of the server's loop that lasts is told once, and once more when it is over."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bundlevisor.control.http.lasting_fault import CALM_S, PAUSE_S, LastingFault
from bundlevisor.control.http.server import HttpServer
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.control.fake_runtime import FakeRuntime
    from tests.control.wire import Api

TIMES = 40


class Rounds:
    """Rounds of a loop in fake time, each an instant but for the pause after an error."""

    def __init__(self) -> None:
        self.time = 0.0
        self.told: list[str] = []
        self._lasting = LastingFault("serving", self.tell, now=lambda: self.time, pause=self.pause)

    def tell(self, what: str, error: BaseException) -> None:
        self.told.append(f"{what}: {error}")

    def pause(self, seconds: float) -> None:
        self.time += seconds

    def go(self, error: str = "", times: int = 1) -> None:
        for _ in range(times):
            with self._lasting:
                if error:
                    raise OSError(error)


def test_an_error_that_lasts_is_told_once_and_once_more_when_it_is_over() -> None:
    rounds = Rounds()
    rounds.go("no memory", times=TIMES)
    assert rounds.time == pytest.approx(TIMES * PAUSE_S)
    rounds.go()
    rounds.go("no memory", times=TIMES)
    assert rounds.told == ["serving: no memory"]
    rounds.time += CALM_S
    rounds.go(times=2)
    assert rounds.told[1:] == [f"serving works again; {2 * TIMES} times it failed: no memory"]
    rounds.go("no memory")
    assert rounds.told[2:] == ["serving: no memory"]


def test_another_error_is_told_too_and_of_one_alone_nothing_more() -> None:
    rounds = Rounds()
    rounds.go("no memory", times=TIMES)
    rounds.go("no files")
    rounds.time += CALM_S
    rounds.go()
    assert rounds.told == ["serving: no memory", "serving: no files"]


def test_a_server_that_has_no_memory_to_wait_by_says_so_once(
    api: Api, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[float] = []
    go_round = HttpServer.go_round

    def fail_at_first(http: HttpServer, patience: float) -> None:
        if len(failed) < 5:
            failed.append(patience)
            raise OSError(errno.ENOMEM, "no memory, as expected")
        go_round(http, patience)

    monkeypatch.setattr(HttpServer, "go_round", fail_at_first)
    assert api.get("/healthz").status == 200
    wait_until(lambda: len(failed) == 5, what="the errors")
    assert api.get("/healthz").status == 200
    assert [what for what, _ in runtime.faults].count("serving the control API") == 1
