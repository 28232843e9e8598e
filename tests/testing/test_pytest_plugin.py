"""What a suite in pytest gets of the kit by itself: fixtures, laws, and the story in a report."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor import pytest_plugin

SUITE = """
import pytest

from bundlevisor.testing import Bundle


def test_passes(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()


def test_fails(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()
    assert runtime.service("db").state == "failed"


@pytest.mark.xfail
def test_fails_as_is_known(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.stop_in_order = None  # of one that stands still it would take a minute
    runtime.freeze()
    assert False


def test_fails_with_two(tmp_path, bundlevisor_runtime):
    for name in ("one", "other"):
        bundlevisor_runtime(Bundle(tmp_path / name).service("db"))
    assert False


def test_starts_what_is_not_there(bundlevisor_bundle, bundlevisor_runtime):
    with pytest.raises(FileNotFoundError):
        bundlevisor_runtime(bundlevisor_bundle.service("db"), command=["/nowhere/bundlevisor"])


def test_leaves_something(bundlevisor_bundle, bundlevisor_runtime):
    import subprocess, sys
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.wait_ready()
    runtime.remember(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
    runtime.assert_nothing_left = lambda: type(runtime).assert_nothing_left(runtime, within=0.2)


@pytest.fixture
def used(bundlevisor_bundle, bundlevisor_runtime):
    bundlevisor_runtime(bundlevisor_bundle.service("db")).wait_ready()
    raise KeyError("so it is")


def test_is_not_reached(used):
    pass


def test_is_refused(bundlevisor_bundle, bundlevisor_runtime):
    bundlevisor_runtime(bundlevisor_bundle.service("db", log_dir=5).set(telemetry={}))


TRIES = []


def test_is_tried_twice(bundlevisor_bundle, bundlevisor_runtime):
    TRIES.append(len(TRIES))
    test_leaves_something(bundlevisor_bundle, bundlevisor_runtime)
    assert len(TRIES) == 2
"""
AGAIN = """
from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    if item.name != "test_is_tried_twice":
        return None
    runtestprotocol(item, log=False, nextitem=nextitem)
    item._initrequest()
    runtestprotocol(item, nextitem=nextitem)
    return True
"""


INTERRUPTED = """
def test_is_interrupted(bundlevisor_bundle, bundlevisor_runtime):
    runtime = bundlevisor_runtime(bundlevisor_bundle.service("db"))
    runtime.stop_in_order = None  # of one that stands still it would take a minute
    runtime.freeze()
    raise KeyboardInterrupt
"""


def ran_in(folder: Path, suite: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(suite)
    without = [f"-pno:{plugin}" for plugin in ("cacheprovider", "xdist", "hypothesispytest")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rN", *without, "test_suite.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_whoever_interrupts_a_test_waits_for_no_orderly_stop(tmp_path: Path) -> None:
    ran = ran_in(tmp_path, INTERRUPTED)
    assert (ran.returncode, ran.stderr) == (pytest.ExitCode.INTERRUPTED, "")
    assert [one for one in psutil.process_iter() if str(tmp_path) in " ".join(words(one))] == []


def test_the_fixtures_keep_the_laws_and_tell_the_story(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(AGAIN)
    ran = ran_in(tmp_path, SUITE)
    assert "3 failed, 4 passed, 1 xfailed, 3 errors" in ran.stdout, ran.stdout
    assert ran.stdout.count("what happened in the runtime") == 7
    for name in ("one", "other"):
        assert re.search(rf"what happened in the runtime of .*{name}.app-data\b", ran.stdout)
    assert ran.stdout.count("not within 0.2 s: no process left") == 2
    assert "services[0].log_dir must be a string" in ran.stdout
    assert [one for one in psutil.process_iter() if str(tmp_path) in " ".join(words(one))] == []


def test_the_plugin_needs_no_recent_pluggy() -> None:
    """It is loaded by each pytest beside it, also where nobody asks for the kit."""
    hook: dict[str, object] = vars(pytest_plugin.pytest_runtest_makereport)["pytest_impl"]
    assert (hook["hookwrapper"], hook.get("wrapper")) == (True, False)


def words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
