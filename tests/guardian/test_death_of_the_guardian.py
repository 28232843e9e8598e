from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bundlevisor.actors.process import table
from tests.guardian.household import Household, service
from tests.records import events
from tests.waiting import wait_until


def test_another_guardian_takes_over_and_knows_everything(tmp_path: Path) -> None:
    services = [
        service("db", "stops_slowly", options={"stop-ms": 200}),
        service("job", "ignores_term", depends_on=["db"], grace_s=0.3),
    ]
    with Household(tmp_path / "h", *services, loop=True, files=["token"]) as house:
        house.wait_started()
        first = house.guardian
        os.kill(first, signal.SIGKILL)
        said = house.replaced()
        assert said == {"event": "guardian_replaced", "died": first, "pid": said["pid"]}
        house.kill()
        house.wait_clean()

        assert house.signals("db")[0]["t"] > house.signals("job")[0]["t"] + 0.25
        assert not (house.folder / "token").exists()
        assert house.telemetry()[-1]["details"]["found"] == 2


def test_a_dead_guardian_leaves_no_zombie_and_its_successor_holds_nothing_of_the_runtime(
    tmp_path: Path,
) -> None:
    with Household(tmp_path / "h", service("api"), loop=True) as house:
        house.wait_started()
        first = house.guardian
        os.kill(first, signal.SIGKILL)
        house.replaced()
        assert table.created(first) is None
        what = "three standard ones, channel, the runtime, one pipe, what is in flight"
        wait_until(lambda: len(os.listdir(f"/proc/{house.guardian}/fd")) == 7, what=what)


def test_no_line_is_lost_by_the_successor_either(tmp_path: Path) -> None:
    flood = service("one", "floods_stdout", options={"line-bytes": 40}, grace_s=20)
    with Household(tmp_path / "h", flood, loop=True) as house:
        house.wait_started()
        os.kill(house.guardian, signal.SIGKILL)
        house.replaced()
        wait_until(lambda: (house.folder / "one.log").stat().st_size > 200_000)
        house.kill()
        house.wait_clean(30)
        written = events(house.record("one"), "flooded")[0]["lines"]
        numbers = [int(line) for line in house.log("one").splitlines()[:written]]
        assert numbers == list(range(written))


def test_a_runtime_that_dies_before_the_successor_listens_is_cleaned_up_after(
    tmp_path: Path,
) -> None:
    with Household(tmp_path / "h", service("api"), loop=True) as house:
        house.wait_started()
        os.kill(house.guardian, signal.SIGKILL)
        house.replaced()
        house.kill()
        house.wait_clean()
        assert house.signals("api")


def test_a_guardian_that_does_not_read_delays_nobody(tmp_path: Path) -> None:
    """Stopped, it takes nothing in; what it was told reaches it when it goes on."""
    with Household(tmp_path / "h", service("api"), loop=True) as house:
        house.wait_started()
        os.kill(house.guardian, signal.SIGSTOP)
        told = house.ask("tell 3000")
        assert told["longest"] < 20.0  # one that waits would wait for ever
        os.kill(house.guardian, signal.SIGCONT)
        house.ask("delivered")
        house.kill()
        house.wait_clean()
        assert not (house.folder / "token-2999").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_guardian_is_deaf_to_what_a_terminal_sends(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Household(tmp_path / "h", service("api")) as house:
        house.wait_started()
        os.kill(house.guardian, number)
        house.kill()
        house.wait_clean()
        assert house.signals("api")
