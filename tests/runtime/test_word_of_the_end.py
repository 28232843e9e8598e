"""Who waits for an instance, or watches one, hears at once that it has ended, and how."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bundlevisor.actors.files import last_end
from bundlevisor.control.cli import client
from bundlevisor.control.cli.find import find, wanted
from bundlevisor.control.cli.last_words import is_suspended
from tests import absent
from tests.bundle_maker import Bundle, Run, bundle, bundlevisor, running, starting, wait_until
from tests.installed import COMMAND

FOLLOWING = (("events", "-f"), ("logs", "db", "-f"), ("logs", "-f"), ("status", "--watch"))
TALKS = "import time\nprint('hello', flush=True)\ntime.sleep(1000)\n"
LONGER_THAN_ANY_TEST = "600"


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    made = bundle(tmp_path).script("bin/talks", TALKS)
    return made.service("db", "bin/talks", ports=()).write()


def follow(app_data: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *words, "--app-data", str(app_data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(run: Run, end: Callable[[], object]) -> list[tuple[int, str]]:
    """Return how all that follow a run end when that does, and what they say then."""
    run.until_ready()
    run.until_on_record()
    wait_until(lambda: run.log("db"), what="the service has said something")
    commands = [follow(run.app_data, *words) for words in FOLLOWING]
    for command in commands:
        assert command.stdout is not None
        assert command.stdout.readline()
    end()
    said = [command.communicate(timeout=60)[0] for command in commands]
    return [(one.returncode, text) for one, text in zip(commands, said, strict=True)]


def test_who_follows_is_told_of_an_orderly_end(made: Bundle) -> None:
    with running(made) as run:
        for code, shown in told(run, lambda: run.post("/shutdown")):
            assert code == 0
            assert "the instance has ended with exit code 0: asked to by the " in shown


def test_who_follows_events_is_told_of_the_last_ones(made: Bundle) -> None:
    with running(made) as run:
        shown = told(run, lambda: run.post("/shutdown"))[0][1]
    last = re.findall(r"^[-\d]+ [:.\d]+ +\S+ +(\w+)", shown, re.MULTILINE)[-2:]
    assert last == [one["event"] for one in run.telemetry()][-2:]
    assert last == ["service_exit", "runtime_shutdown"]


@pytest.mark.skipif(sys.platform == "win32", reason="what is terminated there is no signal")
def test_who_follows_is_told_of_a_death(made: Bundle) -> None:
    with running(made) as run:

        def die() -> None:
            run.kill()
            run.wait_gone()

        for code, shown in told(run, die):
            assert code == 0
            assert f"the instance has ended without a word (pid {run.pid})" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_who_follows_ends_well_by_ctrl_c(made: Bundle) -> None:
    with running(made) as run:
        run.until_ready()
        run.until_on_record()
        wait_until(lambda: run.log("db"), what="the service has said something")
        for words in FOLLOWING:
            command = follow(run.app_data, *words)
            assert command.stdout is not None
            assert command.stdout.readline()
            command.send_signal(signal.SIGINT)
            shown, _ = command.communicate(timeout=60)
            assert (command.returncode, "Traceback" in shown) == (0, False)


def test_who_waits_beside_a_refused_start_does_not_wait_for_it(tmp_path: Path) -> None:
    app_data, manifest = tmp_path / "data", tmp_path / "bundle.json"
    app_data.mkdir()
    manifest.write_text("{")
    where = ("--app-data", str(app_data))
    waiting = subprocess.Popen(
        [*COMMAND, "ready", "--wait", LONGER_THAN_ANY_TEST, *where],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    refused = bundlevisor("run", "--manifest", str(manifest), *where)
    assert refused.returncode == 2
    _, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 4
    assert "with exit code 2: " in said
    assert f"{manifest}: the file ends too early" in said


def test_a_start_that_is_refused_for_its_folders_says_so(made: Bundle, tmp_path: Path) -> None:
    made.app_data.mkdir()  # nothing is put into one that is not there
    where = ("--app-data", str(made.app_data))
    root = ("--bundle-root", str(tmp_path / "none"))
    assert bundlevisor("run", "--manifest", str(made.path), *root, *where).returncode == 1
    said = bundlevisor("status", *where)
    assert said.returncode == 4
    assert re.search(r"ended .* ago with exit code 1: cannot start: --bundle-root ", said.stderr)


def test_the_next_start_takes_the_word_away(made: Bundle) -> None:
    with running(made) as run:
        run.until_ready()
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert last_end.peek(str(run.app_data))
    with starting(made) as again:
        said = bundlevisor("ready", "--wait", "60", "--app-data", str(made.app_data))
        assert said.stdout == "ready: 1 service\n", said.stderr
        assert last_end.peek(str(made.app_data)) is None
        again.await_listening()


def test_an_instance_that_is_refused_beside_another_leaves_no_word(made: Bundle) -> None:
    with running(made) as run:
        run.until_ready()
        run.until_on_record()
        where = ("--app-data", str(run.app_data))
        assert bundlevisor("run", "--manifest", str(made.path), *where).returncode == 3
        broken = made.root / "broken.json"
        broken.write_text("{")
        assert bundlevisor("run", "--manifest", str(broken), *where).returncode == 2
        assert last_end.peek(str(run.app_data)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="what is terminated there is no signal")
def test_a_wait_for_readiness_ends_with_the_instance(tmp_path: Path) -> None:
    never = {"type": "log_match", "pattern": "never"}
    made = bundle(tmp_path).service("db", readiness=never).write()
    with running(made) as run:
        wait_until(lambda: made.events("db", "started"), what="the service has started")
        waiting = subprocess.Popen(
            [*COMMAND, "ready", "--wait", LONGER_THAN_ANY_TEST, "--app-data", str(run.app_data)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: asks(run.port, waiting.pid), what="it asks")
        run.kill()
        run.wait_gone()
        _, said = waiting.communicate(timeout=60)
        assert waiting.returncode == 4
        assert f"the instance has ended without a word (pid {run.pid})" in said


def asks(port: int, pid: int) -> bool:
    """Whether a process has a connection to this port."""
    import psutil

    connections = psutil.Process(pid).net_connections()
    return any(one.raddr and one.raddr.port == port for one in connections)


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is suspended there")
def test_a_runtime_that_is_suspended_is_told_as_such(
    made: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(made) as run:
        run.until_ready()
        run.until_on_record()
        run.kill(signal.SIGSTOP)
        wait_until(lambda: is_suspended(run.pid), what="it stands still")
        try:
            monkeypatch.setattr(client, "TIMEOUT_S", float(LONGER_THAN_ANY_TEST))
            with pytest.raises(client.NoAnswer, match=f"kill -CONT {run.pid}"):
                client.Client(find(wanted(str(run.app_data), ""))).get("/healthz")
        finally:
            run.kill(signal.SIGCONT)


def test_a_process_under_strace_is_not_taken_for_suspended() -> None:
    import psutil

    busy = "import os\nprint(os.getpid(), flush=True)\nwhile True: os.getppid()"
    strace = (shutil.which("strace") or absent.skip("strace"), "-o", os.devnull)
    with subprocess.Popen([*strace, sys.executable, "-c", busy], stdout=subprocess.PIPE) as tracer:
        assert tracer.stdout
        traced = psutil.Process(int(tracer.stdout.readline()))
        try:
            wait_until(lambda: traced.status() == "tracing-stop", what="a moment's standstill")
            assert not any(is_suspended(traced.pid) for _ in range(200))
        finally:
            traced.kill()


def test_word_is_not_left_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    last_end.write(str(tmp_path / "none"), 1, "why")
    assert os.listdir(tmp_path) == []


def test_word_of_an_end_is_read_as_it_was_written(tmp_path: Path) -> None:
    before = time.time()
    last_end.write(str(tmp_path), 3, "why \udcff")
    end = last_end.peek(str(tmp_path))
    assert end is not None
    assert (end.pid, end.code, end.reason) == (os.getpid(), 3, "why \udcff")
    assert before <= end.ended_at <= time.time()
    (tmp_path / "runtime" / "last_end.json").write_text("[")
    assert last_end.peek(str(tmp_path)) is None


def test_word_is_not_left_in_a_folder_of_somebody_else(tmp_path: Path) -> None:
    from bundlevisor.actors.files import last_end as module

    def refused(_folder: str) -> tuple[str, str]:
        return "it belongs to another user", ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "distrust", refused)
        last_end.write(str(tmp_path), 1, "why")
    assert os.listdir(tmp_path) == []
