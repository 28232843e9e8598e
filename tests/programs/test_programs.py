"""The programs do what their names say: what the supervisor's tests rest on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle
from tests.program_by_hand import Started, started
from tests.waiting import WITHIN

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX")


def test_a_well_behaved_service_listens_answers_and_stops_at_once(tmp_path: Path) -> None:
    with started(tmp_path, "well_behaved", delay_ms=30) as it:
        assert it.await_event("listening")["port"] == it.port
        assert it.health() == 200
        it.process.terminate()
        assert it.process.wait(WITHIN) == (1 if os.name == "nt" else 0)
        if os.name == "posix":
            assert it.await_event("signal")["signal"] == signal.SIGTERM
            assert it.await_event("exit")["code"] == 0
        assert it.await_event("listening")["t"] - it.await_event("started")["t"] >= 0.03


@POSIX
def test_a_deaf_service_records_signals_and_lives(tmp_path: Path) -> None:
    with started(tmp_path, "ignores_term") as it:
        it.await_event("listening")
        it.process.terminate()
        assert it.await_event("signal")["signal"] == signal.SIGTERM
        assert it.health() == 200


@POSIX
def test_a_grandchild_outlives_its_parent_and_holds_its_stdout_and_port(tmp_path: Path) -> None:
    with started(tmp_path, "forks_grandchild", hold_port=1) as it:
        grandchild = it.offspring("grandchild")
        it.process.terminate()
        assert it.process.wait(WITHIN) == 0
        grandchild.terminate()
        it.await_event("signal", count=2)
        assert grandchild.is_running()
        with socket.create_connection(("127.0.0.1", it.port), timeout=WITHIN):
            pass  # nobody answers, but the port is still taken


@POSIX
@pytest.mark.parametrize("clear_env", [0, 1])
def test_a_daemon_leaves_the_session_of_its_service(tmp_path: Path, clear_env: int) -> None:
    with started(tmp_path, "double_fork", clear_env=clear_env, deaf=1) as it:
        daemon = it.offspring("daemon")
        assert os.getsid(daemon.pid) != os.getsid(it.process.pid)
        assert daemon.ppid() != it.process.pid
        assert ("PATH" in daemon.environ()) is not bool(clear_env)


@POSIX
def test_a_leader_that_puts_itself_into_the_background_ends_well(tmp_path: Path) -> None:
    with started(tmp_path, "double_fork", leave=1) as it:
        daemon = it.offspring("daemon")
        assert it.process.wait(WITHIN) == 0
        assert daemon.is_running()


def test_a_flood_is_complete_and_numbered(tmp_path: Path) -> None:
    with started(tmp_path, "floods_stdout", lines=20_001, line_bytes=50) as it:
        assert it.process.stdout
        lines = [it.process.stdout.readline() for _ in range(20_001)]
        assert [int(line) for line in lines] == list(range(20_001))
        assert {len(line) for line in lines} == {50}
        assert it.await_event("flooded")["lines"] == 20_001


@POSIX
def test_a_flood_that_is_stopped_says_how_much_it_wrote(tmp_path: Path) -> None:
    with started(tmp_path, "floods_stdout") as it:
        assert it.process.stdout
        it.process.stdout.readline()
        it.process.terminate()
        rest = it.output()
        assert it.process.wait(WITHIN) == 0
        assert it.await_event("flooded")["bytes"] == len(rest) + 100


def test_bad_bytes_stand_between_good_lines(tmp_path: Path) -> None:
    with started(tmp_path, "writes_bad_bytes") as it:
        it.await_event("listening")
        it.process.kill()
        lines = it.output().split(b"\n")
        assert lines[0] == b"before the bad bytes"
        assert lines[-2] == b"after the bad bytes"
        assert b"\xff\xfe\xfd" in lines


def test_a_long_line_is_one_line(tmp_path: Path) -> None:
    with started(tmp_path, "long_line", megabytes=2) as it:
        assert it.process.stdout
        assert len(it.process.stdout.readline()) == 2_000_001
        assert it.process.stdout.readline() == b"after the long line\n"


def test_an_exit_at_once_says_its_last_words(tmp_path: Path) -> None:
    with started(tmp_path, "exits_at_once", code=7, words="no disk") as it:
        assert it.process.wait(WITHIN) == 7
        assert it.output() == b"no disk\n"


def test_an_exit_comes_after_readiness(tmp_path: Path) -> None:
    with started(tmp_path, "exits_after", after_ms=200, code=4) as it:
        it.await_event("listening")
        assert it.process.wait(WITHIN) == 4


@POSIX
@pytest.mark.parametrize("name", ["SEGV", "ABRT", "KILL"])
@pytest.mark.parametrize("after_ms", [0, 100])
def test_a_crash_is_by_the_signal_asked_for(tmp_path: Path, name: str, after_ms: int) -> None:
    with started(tmp_path, "crashes_by_signal", signal=name, after_ms=after_ms) as it:
        assert it.process.wait(WITHIN) == -getattr(signal, "SIG" + name)


def test_a_late_listener_listens_so_much_later(tmp_path: Path) -> None:
    with started(tmp_path, "listens_late", late_ms=200) as it:
        assert it.await_event("listening")["t"] - it.await_event("started")["t"] >= 0.2
        assert it.health() == 200


@POSIX
def test_the_port_is_taken_once_and_the_service_dead(tmp_path: Path) -> None:
    with started(tmp_path, "takes_the_port_and_dies") as it:
        assert it.process.wait(WITHIN) == 1
        it.offspring("daemon")
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", it.port))


def test_a_thief_takes_the_port_before_the_service_does(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        thief = door.getsockname()[1]
        with started(tmp_path, "port_in_use_exit", thief=thief) as it:
            visitor, _ = door.accept()
            with visitor, socket.create_server(("127.0.0.1", int(visitor.recv(10)))):
                visitor.sendall(b"!")
                assert it.process.wait(WITHIN) == 1
                assert b"in use" in it.output()


def test_a_claimed_address_in_use_is_a_claim_only(tmp_path: Path) -> None:
    with started(tmp_path, "port_in_use_exit") as it:
        assert it.process.wait(WITHIN) == 1
        assert b"Address already in use" in it.output()
        with socket.create_server(("127.0.0.1", it.port)):
            pass


@POSIX
def test_a_slow_stop_takes_its_time(tmp_path: Path) -> None:
    with started(tmp_path, "stops_slowly", stop_ms=300) as it:
        it.await_event("listening")
        it.process.terminate()
        assert it.process.wait(WITHIN) == 0
        assert it.await_event("exit")["t"] - it.await_event("stopping")["t"] >= 0.3


@POSIX
def test_a_slow_stop_is_not_hurried_by_a_second_signal(tmp_path: Path) -> None:
    gate = tmp_path / "it may end"
    with started(tmp_path, "stops_slowly", stop_until=gate) as it:
        it.await_event("listening")
        it.process.terminate()
        it.await_event("stopping")
        it.process.terminate()
        it.await_event("signal", count=2)
        assert it.process.poll() is None
        gate.touch()
        assert it.process.wait(WITHIN) == 0


def test_a_stop_by_http_ends_what_signals_do_not(tmp_path: Path) -> None:
    with started(tmp_path, "http_stop") as it:
        it.await_event("listening")
        if os.name == "posix":
            it.process.terminate()
            it.await_event("signal")
        assert it.health("POST", "/shutdown") == 202
        assert it.process.wait(WITHIN) == 0


def test_a_secret_is_printed_whole_and_in_pieces(tmp_path: Path) -> None:
    with started(tmp_path, "prints_secret", env={"API_KEY": "sesame"}) as it:
        it.await_event("listening")
        it.process.kill()
        assert it.output().count(b"sesame") == 4


def test_the_ready_line_stands_among_others(tmp_path: Path) -> None:
    with started(tmp_path, "logs_ready_line", line="index is up") as it:
        it.await_event("wrote")
        it.process.kill()
        assert b"\nindex is up\n" in it.output()


@POSIX
def test_a_handed_socket_is_served_by_the_process_it_was_meant_for(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("it", "reads_listen_fds").write()
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f'exec 3<&{server.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
        words = [
            sys.executable,
            "-IS",
            f"{made.root}/bin/it",
            "--record",
            f"{made.records}/it.jsonl",
        ]
        command = ["/bin/bash", "-c", script, "bash", *words]
        process = subprocess.Popen(command, pass_fds=[server.fileno()])
        try:
            it = Started(made, process, server.getsockname()[1])
            assert it.await_event("listening")["port"] == it.port
            assert it.health() == 200
        finally:
            process.kill()
            process.wait()


def test_a_socket_meant_for_another_is_refused(tmp_path: Path) -> None:
    env = {"LISTEN_FDS": "1", "LISTEN_PID": "1"}
    with started(tmp_path, "reads_listen_fds", env=env) as it:
        assert it.process.wait(WITHIN) == 1
        assert it.await_event("handed")["pid_meant"] == "1"


def test_the_environment_is_reported_as_it_was(tmp_path: Path) -> None:
    with started(tmp_path, "reports_environment", env={"GREETING": 'a "b" \\ ü'}) as it:
        seen = it.await_event("environment")
        assert seen["env"]["GREETING"] == 'a "b" \\ ü'
        assert seen["cwd"] == os.getcwd()


@POSIX
def test_inherited_descriptors_are_listed(tmp_path: Path) -> None:
    with started(tmp_path, "inherits_fds") as it:
        given = it.await_event("descriptors")["open"]
        assert given["1"] == "pipe"
        assert set(given) >= {"0", "1", "2"}
