from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bundlevisor.actors.process import table
from tests.guardian.small_runtime import SmallRuntime, service
from tests.hidden import open_files
from tests.records import events
from tests.waiting import wait_until


def test_another_guardian_takes_over_and_knows_everything(tmp_path: Path) -> None:
    services = [
        service("db", "stops_slowly", options={"stop-ms": 200}, grace_s=20),
        service("job", "stops_slowly", options={"stop-ms": 200}, depends_on=["db"], grace_s=20),
        service("deaf", "ignores_term", grace_s=0.3),
    ]
    with SmallRuntime(tmp_path / "h", *services, loop=True, files=["token"]) as small:
        small.wait_started()
        first = small.guardian
        os.kill(first, signal.SIGKILL)
        said = small.replaced()
        assert said == {"event": "guardian_replaced", "died": first, "pid": said["pid"]}
        small.kill()
        small.wait_clean()

        assert small.record("job")[-1]["event"] == "exit"
        assert small.signals("db")[0]["t"] >= small.record("job")[-1]["t"]
        assert not (small.folder / "token").exists()
        details = small.telemetry()[-1]["details"]
        assert (details["found"], details["stopped"], details["killed"]) == (3, 2, 1)


def test_a_dead_guardian_leaves_no_zombie_and_its_successor_holds_nothing_of_the_runtime(
    tmp_path: Path,
) -> None:
    with SmallRuntime(tmp_path / "h", service("api"), loop=True) as small:
        small.wait_started()
        first = small.guardian
        os.kill(first, signal.SIGKILL)
        small.replaced()
        assert table.created(first) is None
        what = "three standard ones, channel, the runtime, one pipe, what is in flight, and how far"
        wait_until(lambda: open_files(small.guardian) == 8, what=what)


def test_no_line_is_lost_by_the_successor_either(tmp_path: Path) -> None:
    flood = service("one", "floods_stdout", options={"line-bytes": 40}, grace_s=20)
    with SmallRuntime(tmp_path / "h", flood, loop=True) as small:
        small.wait_started()
        os.kill(small.guardian, signal.SIGKILL)
        small.replaced()
        wait_until(lambda: (small.folder / "one.log").stat().st_size > 200_000)
        small.kill()
        small.wait_clean(30)
        written = events(small.record("one"), "flooded")[0]["lines"]
        numbers = [int(line) for line in small.log("one").splitlines()[:written]]
        assert numbers == list(range(written))


def test_a_runtime_that_dies_before_the_successor_listens_is_cleaned_up_after(
    tmp_path: Path,
) -> None:
    with SmallRuntime(tmp_path / "h", service("api"), loop=True) as small:
        small.wait_started()
        os.kill(small.guardian, signal.SIGKILL)
        small.replaced()
        small.kill()
        small.wait_clean()
        assert small.signals("api")


def test_a_guardian_that_does_not_read_delays_nobody(tmp_path: Path) -> None:
    """Stopped, it takes nothing in; what it was told reaches it when it goes on."""
    with SmallRuntime(tmp_path / "h", service("api"), loop=True) as small:
        small.wait_started()
        os.kill(small.guardian, signal.SIGSTOP)
        told = small.ask("tell 3000")
        assert told["longest"] < 20.0  # one that waits would wait for ever
        os.kill(small.guardian, signal.SIGCONT)
        small.ask("delivered")
        small.kill()
        small.wait_clean()
        assert not (small.folder / "token-2999").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_guardian_is_deaf_to_what_a_terminal_sends(
    tmp_path: Path, number: signal.Signals
) -> None:
    with SmallRuntime(tmp_path / "h", service("api")) as small:
        small.wait_started()
        os.kill(small.guardian, number)
        small.kill()
        small.wait_clean()
        assert small.signals("api")
