"""What somebody writes who has the wheel and ``docs/testing.md``: a suite for an application.

Is copied beside folders of its own that are called ``control`` and ``perf``, and run there.
"""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

import control
import perf
from bundlevisor.testing import Bundle, Runtime, faults

WORKER = """
import signal, sys
print("working for", sys.argv[1], flush=True)
signal.pause()
"""


def test_the_names_of_the_project_are_its_own():
    assert (control.NAME, perf.NAME) == ("the project's control", "the project's perf")


def test_services_of_the_kit_and_programs_of_mine(tmp_path):
    bundle = Bundle(tmp_path).service("db").script("bin/worker", WORKER)
    bundle.service("worker", ["bin/worker", "${db.http}"], needs=["db"])
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        assert runtime.get("/readyz").json()["ready"]
        port = runtime.service("db").ports["http"]
        runtime.wait(lambda: f"working for {port}" in runtime.service("worker").log, "its output")


@pytest.mark.bundlevisor_fault
def test_it_ends_with_a_code(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db").service("api", needs=["db"]))
    runtime.wait_ready()
    before = runtime.seq
    runtime.service("api").exit(7)
    ended = runtime.wait_event("service_exit", "api", after=before)
    assert ended["details"]["exit_code"] == 7
    runtime.wait_event("service_ready", "api", after=ended["seq"])
    assert runtime.service("api").restarts == 1
    assert runtime.service("db").restarts == 0


@pytest.mark.bundlevisor_fault
def test_a_service_stands_still_and_goes_on(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()
    runtime.service("db").freeze()
    runtime.service("db").thaw()
    runtime.service("db").wait_state("ready")


@pytest.mark.bundlevisor_fault
def test_a_stolen_port(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()
    port = runtime.service("db").ports["http"]
    runtime.stop()
    with faults.port_theft(port, "127.0.0.1"):
        again = bundlevisor_runtime(bundlevisor_bundle)
        again.wait_ready()
        assert again.service("db").ports["http"] != port


@pytest.mark.bundlevisor_fault
def test_the_runtime_is_killed_and_nothing_is_left(tmp_path):
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        child = runtime.service("db").child(daemon=True)
        runtime.kill()
        runtime.wait(lambda: not child.is_running(), "the end of the daemon")


@pytest.mark.bundlevisor_fault
def test_a_torn_state_file(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()
    runtime.stop()
    faults.tear(bundlevisor_bundle.app_data / "runtime" / "ports.json")
    bundlevisor_runtime(bundlevisor_bundle).wait_ready()


@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX'")
@pytest.mark.bundlevisor_fault
def test_few_descriptors(tmp_path):
    bundle = Bundle(tmp_path).service("db")
    with Runtime(bundle, wrapper=faults.limited(files=200)) as runtime:
        runtime.wait_ready()


def test_the_command_under_test_is_the_installed_one(tmp_path):
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        words = psutil.Process(runtime.pid).cmdline()
        assert any(Path(os.environ["VIRTUAL_ENV"]) in Path(word).parents for word in words), words
        said = subprocess.run(["bundlevisor", "--version"], capture_output=True, check=True)
        assert b"bundlevisor" in said.stdout


def test_that_fails(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()
    runtime.wait_event("service_ready", "db")
    runtime.wait_event("gave_up", within=0.5)
