"""The kit for fault-injection suites: what it makes, runs, breaks and tells."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.testing import Bundle, NotWithin, Runtime, faults, wait_until
from bundlevisor.testing.deadline import WITHIN
from tests import absent
from tests.installed import install, linked


def two(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path).service("db").service("api", needs=["db"])


def test_a_bundle_runs_and_ends_by_the_two_laws(tmp_path: Path) -> None:
    with Runtime(two(tmp_path)) as runtime:
        details = runtime.wait_ready()
        assert {id_: one["state"] for id_, one in details.items()} == {
            "db": "ready",
            "api": "ready",
        }
        assert len(runtime.processes) >= 4  # runtime, guardian, two services
        assert set(runtime.held_ports()) == {runtime.service(i).ports["http"] for i in details}
    assert runtime.exit_code == 0
    assert runtime.processes == []


MOST_KEPT = 7 << 20
"""Bytes of a connection: 4 MiB of the sender and 6 of a receiver who reads are Linux' bounds
(tcp(7)); of one who does not read it keeps a fraction."""
UNWELL: tuple[str | int, ...] = ("failing", "wrong", "hanging", 30)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """One that is used by tests which leave all services ready; the laws are checked at its end."""
    bundle = two(tmp_path_factory.mktemp("shared"))
    quick = {"type": "http", "path": "/health", "interval_ms": 50, "timeout_ms": 1500, "retries": 2}
    for number in range(len(UNWELL)):
        bundle.service(f"ailing{number}", health=quick)
    for service_id in ("mortal", "ending", "speaker", "talker"):
        bundle.service(service_id)
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        yield runtime


def test_a_killed_service_comes_back(shared: Runtime) -> None:
    before = shared.seq
    shared.service("mortal").kill()
    ended = shared.wait_event("service_exit", "mortal", after=before)
    assert (ended["details"]["expected"], ended["details"]["by"]) == (False, "itself")
    shared.wait_event("service_ready", "mortal", after=before)
    assert shared.service("mortal").restarts == 1


def test_a_service_ends_with_the_code_that_it_is_told(shared: Runtime) -> None:
    before = shared.seq
    shared.service("ending").exit(7)
    ended = shared.wait_event("service_exit", "ending", after=before)
    assert ended["details"]["exit_code"] == 7
    shared.wait_event("service_ready", "ending", after=before)


@pytest.mark.parametrize("how", UNWELL)
def test_a_service_whose_health_is_bad_is_restarted(shared: Runtime, how: str | int) -> None:
    ailing, before = f"ailing{UNWELL.index(how)}", shared.seq
    shared.service(ailing).health(how)
    shared.wait_event("unhealthy", ailing, after=before)
    shared.wait_event("service_ready", ailing, after=before)


def test_output_memory_and_children_are_made_as_told(shared: Runtime) -> None:
    speaker = shared.service("speaker")
    before = speaker.process.memory_info().rss
    speaker.grow(64)
    assert speaker.process.memory_info().rss - before >= 64 << 20
    speaker.flood(100_000)
    speaker.order("say", "that was it")
    shared.wait(lambda: "that was it" in speaker.log or None, "the last line in the log")
    assert len(speaker.log) >= 100_000
    child, daemon = speaker.child(), speaker.child(daemon=True)
    shared.remember(daemon.pid)
    assert child.is_running()
    assert os.getsid(daemon.pid) == daemon.pid


def test_an_event_is_whole_whatever_a_service_wrote(shared: Runtime) -> None:
    """JSON's lines end with a newline only: U+2028 and NEL stand in a text as they are."""
    speaker, before = shared.service("talker"), shared.seq
    said = "one\u2028two\x85three"
    speaker.order("say", said)
    shared.wait(lambda: said in speaker.log or None, "the line in the log")
    speaker.exit(3)
    ended = shared.wait_event("service_exit", "talker", after=before)
    assert said in ended["details"]["last_lines"]
    shared.wait_event("service_ready", "talker", after=before)


@pytest.mark.parametrize("path", ["bin/api.v2", "bin/tool.py", "bin/mine"])
def test_a_script_is_found_on_windows_whatever_its_name(tmp_path: Path, path: str) -> None:
    bundle = Bundle(tmp_path).script(path, "").service("mine", [path])
    for program, named in ((path, f"{path}.cmd"), ("bin/x.exe", "bin/x.exe")):
        (entry,) = bundle.service("mine", [program]).document["services"]
        assert entry["binaries"]["win-x64"]["path"] == named
        assert entry["binaries"]["linux-x64"]["path"] == program


def test_a_killed_runtime_leaves_nothing(tmp_path: Path) -> None:
    with Runtime(two(tmp_path)) as runtime:
        runtime.wait_ready()
        runtime.kill()
        assert runtime.wait_ended() == -signal.SIGKILL


def test_a_killed_guardian_has_a_successor_before_the_runtime_dies_too(tmp_path: Path) -> None:
    with Runtime(two(tmp_path)) as runtime:
        runtime.wait_ready()
        before, guardian = runtime.seq, runtime.guardian
        guardian.kill()
        runtime.wait_event("guardian_replaced", after=before)
        runtime.kill()
        runtime.wait_ended()


def test_a_command_that_is_refused_is_told(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("db", stop={"timeout_ms": 60_000})
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        runtime.service("db").order("deaf", True)
        runtime.post("/shutdown")
        with pytest.raises(AssertionError, match="stopping"):
            runtime.service("db").restart()
        runtime.service("db").kill()  # or its end would be waited for


def test_a_failed_wait_tells_the_story(shared: Runtime) -> None:
    shared.service("db").order("say", "a line of db")
    shared.wait(lambda: "a line" in shared.service("db").log or None, "the line")
    with pytest.raises(NotWithin) as failed:
        shared.wait_event("gave_up", "db", within=0.1)
    told = str(failed.value)
    assert "not within 0.1 s: event gave_up of db" in told
    assert told.index("-- events") < told.index("-- states") < told.index("-- log of db")
    assert "db: ready: ready" in told
    assert "a line of db" in told


def test_a_wait_that_is_ended_by_an_error_tells_the_story_too(tmp_path: Path) -> None:
    with Runtime(two(tmp_path)) as runtime:
        runtime.wait_ready()
        runtime.kill()
        runtime.wait_ended()
        gone = (FileNotFoundError, ConnectionRefusedError)  # the guardian has tidied up, or not yet
        with pytest.raises(gone) as failed:
            runtime.wait(lambda: runtime.service("api").state == "failed", "its end")
    assert "-- events" in "".join(failed.value.__notes__)


def test_a_bundle_that_cannot_be_run_says_so_at_once(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("a", needs=["nobody"])
    with pytest.raises(AssertionError, match=r"the runtime ended with 2(.|\n)*nobody"):
        Runtime(bundle).start()
    refused = Runtime(Bundle(tmp_path / "not written").service("a", needs=["nobody"]))
    refused.spawn()
    assert refused.wait_ended() == 2
    assert "nobody" in refused.stderr
    refused.kill_everything()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_stolen_port_is_not_given_out(tmp_path: Path, host: str) -> None:
    bundle = two(tmp_path)
    first = bundle.document["ports"]["default_range"]["min"]
    with faults.port_theft(first, host), Runtime(bundle) as runtime:
        runtime.wait_ready()
        assert first not in runtime.service("db").ports.values()


def test_nobody_reads_what_it_says(tmp_path: Path) -> None:
    with Runtime(two(tmp_path), read_output=False) as runtime:
        runtime.wait_ready()


def test_few_descriptors_are_told_and_nothing_hangs(tmp_path: Path) -> None:
    limited = faults.limited(files=12)
    with pytest.raises(AssertionError, match="the runtime ended with 1"):
        Runtime(two(tmp_path), wrapper=limited).start()


def test_a_removed_installation_still_stops_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an environment without what else a developer has installed."""
    lean = install(tmp_path / "lean", linked(tmp_path / "farm"))
    monkeypatch.setenv("BUNDLEVISOR", str(lean / "bin" / "bundlevisor"))
    with (
        faults.movable_installation(tmp_path) as command,
        Runtime(two(tmp_path), command=command) as runtime,
    ):
        assert lean not in Path(command[0]).parents
        runtime.wait_ready()
    assert runtime.exit_code == 0


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that has run, and left its state files; each further run leaves them as well."""
    bundle = two(tmp_path_factory.mktemp("stopped"))
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
    return bundle


@pytest.mark.parametrize("break_it", [faults.tear, faults.corrupt, Path.unlink])
def test_a_broken_state_file_stops_no_start(stopped: Bundle, break_it: object) -> None:
    assert callable(break_it)
    break_it(stopped.app_data / "runtime" / "ports.json")
    with Runtime(stopped) as again:
        again.wait_ready()


def test_ports_that_are_no_object_are_none(stopped: Bundle) -> None:
    (stopped.app_data / "runtime" / "ports.json").write_text("[]", encoding="utf-8")
    assert Runtime(stopped).held_ports() == []


def test_slow_clients_and_unread_answers_hold_nobody_up(shared: Runtime) -> None:
    with faults.slow_clients(shared, 100), faults.unread_answers(shared):
        assert shared.wait_ready()


def test_answers_that_nobody_reads_are_more_than_the_system_keeps(shared: Runtime) -> None:
    with faults.unread_answers(shared) as client:
        client.settimeout(WITHIN)
        got = 0
        while got <= MOST_KEPT:
            more = len(client.recv(1 << 20))
            assert more, f"{got} bytes were all of them"
            got += more


def test_the_death_of_a_parent_ends_the_runtime(tmp_path: Path) -> None:
    with Runtime(two(tmp_path), wrapper=faults.dying_parent()) as runtime:
        runtime.wait_ready()
        runtime.kill()  # what was started is the parent
        runtime.wait(lambda: not runtime.processes, "the end of all")


@absent.unless(hasattr(os, "geteuid") and os.geteuid() == 0, "root, who may mount")
def test_a_full_disk_under_the_telemetry_stops_nothing(tmp_path: Path) -> None:
    bundle = two(tmp_path)
    with faults.small_disk(bundle.telemetry.parent):
        faults.fill(bundle.telemetry.parent)
        with Runtime(bundle) as runtime:
            runtime.wait_ready()
            runtime.service("db").restart()


def test_a_deadline_is_kept_and_named() -> None:
    with pytest.raises(NotWithin, match="not within 0 s: rain"):
        wait_until(lambda: False, "rain", within=0)


def test_a_run_may_have_another_folder_no_stdin_and_one_output(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with (
        told.open("wb") as output,
        Runtime(
            two(tmp_path),
            app_data=tmp_path / "elsewhere",
            stdin=subprocess.DEVNULL,
            output=output.fileno(),
        ) as runtime,
    ):
        runtime.wait_ready()
        runtime.service("db").order("say", "here")
        runtime.wait(lambda: "here" in runtime.service("db").log or None, "the line in the log")
        assert runtime.wait_event("ready")["details"]
    assert not runtime.bundle.app_data.exists()
    text = told.read_text()
    assert '"port":' in text, "what is said on stdout"
    assert "db is ready" in text, "what is said on stderr"
