"""The two laws, by which a run is judged: no process is left, no port is held."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.manifest.format.app_data import PORTS
from bundlevisor.testing import Bundle, NotWithin, Runtime, faults, wait_until
from bundlevisor.testing.bundle import PROGRAM
from bundlevisor.testing.ports import free_block


def two(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path).service("db").service("api", needs=["db"])


def test_what_is_left_breaks_the_first_law(tmp_path: Path) -> None:
    runtime = Runtime(two(tmp_path))
    try:
        runtime.start()
        runtime.wait_event("service_ready")
        with pytest.raises(NotWithin, match=r"no process left(.|\n)*events(.|\n)*service_ready"):
            runtime.assert_nothing_left(within=0.1)
    finally:
        runtime.kill_everything()
    assert runtime.processes == []


def test_what_a_run_holds_that_goes_on_beside_another_is_not_held_against_that(
    tmp_path: Path,
) -> None:
    bundle = Bundle(tmp_path).service("db")
    with Runtime(bundle) as beside:
        beside.wait_ready()
        port = beside.service("db").ports["http"]
        with Runtime(bundle, app_data=tmp_path / "elsewhere") as runtime:
            runtime.wait_ready()
        (guardian := beside.guardian).suspend()
        beside.kill()
        beside.wait_ended()
        assert runtime.held_ports() == [port], "what it has left is"
        guardian.resume()


def test_a_port_of_a_range_of_its_own_is_one_of_the_bundles(tmp_path: Path) -> None:
    """Also before it is written down, and once the runtime was killed before that."""
    first = free_block(1)
    request = {"name": "http", "range": {"min": first, "max": first}}
    bundle = Bundle(tmp_path).service("db", ports={"requested": [request]})
    with Runtime(bundle.set(ports={"reserved": [first + 1]})) as runtime:
        runtime.wait_ready()
        written = runtime.app_data / PORTS
        wait_until(written.exists, "the ports to be written down")
        written.unlink()
        assert runtime.held_ports() == [first]
        runtime.kill()
        runtime.assert_nothing_left()
        with subprocess.Popen([sys.executable, PROGRAM, str(first)]) as stranger:
            try:
                wait_until(lambda: runtime.held_ports() == [first], "the port to be held")
            finally:
                stranger.kill()


@pytest.mark.permissions
def test_the_laws_see_the_runtime_and_its_guardian_also_without_root(tmp_path: Path) -> None:
    """Both hide their environment, and with it the mark."""
    with Runtime(two(tmp_path)) as runtime:
        runtime.wait_ready()
        ours = {process.pid for process in runtime.processes}
        assert {runtime.pid, runtime.guardian.pid} <= ours
        assert {runtime.service(id_).pid for id_ in ("db", "api")} <= ours


ENDS_BADLY = ["sh", "-c", '"$@"; exit 7', "sh"]


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_a_stop_that_was_asked_for_and_did_not_go_well_is_told(tmp_path: Path) -> None:
    said = r"asked to stop, and ended with 7(.|\n)*events(.|\n)*service_ready"
    with (
        pytest.raises(AssertionError, match=said),
        Runtime(two(tmp_path), wrapper=ENDS_BADLY) as runtime,
    ):
        runtime.wait_ready()
    with Runtime(two(tmp_path), wrapper=ENDS_BADLY) as runtime:
        runtime.wait_ready()
        assert runtime.stop() == 7, "whoever stops it himself looks at the code himself"


@pytest.mark.skipif(os.name != "posix", reason="files that are open can be removed")
def test_a_runtime_whose_folder_was_removed_is_still_asked_to_stop(tmp_path: Path) -> None:
    with Runtime(two(tmp_path)) as runtime:
        runtime.wait_ready()
        os.rename(runtime.app_data, tmp_path / "elsewhere")  # at once: it is still being written
    assert runtime.exit_code == 0


@pytest.mark.parametrize("by_the_kit", [True, False])
def test_a_parent_that_was_killed_has_not_ended_badly(tmp_path: Path, by_the_kit: bool) -> None:
    """The runtime itself may still answer then."""
    with Runtime(two(tmp_path), wrapper=faults.dying_parent()) as runtime:
        runtime.wait_ready()
        if by_the_kit:
            runtime.kill()
        else:
            psutil.Process(runtime.pid).kill()
