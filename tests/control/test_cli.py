"""What the client says of an instance, and has it do, command by command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from bundlevisor.actors.core import stop_deadline
from bundlevisor.actors.core.messages import Outcome
from bundlevisor.actors.core.snapshot import State
from bundlevisor.actors.files import instance
from bundlevisor.control.__main__ import main
from bundlevisor.control.cli.parser.whole_parser import whole
from bundlevisor.control.run import orderly_stop, teardown
from tests import absent
from tests.control.commands import Cli, record
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api
from tests.installed import COMMAND
from tests.live_runtime import bundlevisor
from tests.waiting import WITHIN, wait_until


def test_status_is_a_table(cli: Cli, runtime: FakeRuntime) -> None:
    runtime.change("db", State.BACKOFF, message="exit 3\x1b[31m", restarts=2, pid=99)
    runtime.change("web.api-1", State.WAITING, message="waiting", waiting_for=("db",))
    code, out, err = cli("status")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("Notes 1.2.3, pid 4711, up ")
    assert [line.split() for line in lines[2:]] == [
        ["SERVICE", "STATE", "READY", "AFTER", "RESTARTS", "PID", "PORTS", "MESSAGE"],
        ["db", "backoff", "-", "2", "99", "sql:47001", "exit", "3", "[31m"],
        ["web.api-1", "waiting", "-", "0", "-", "http:47002", "waiting", "for", "db"],
        ["extra", "ready", "-", "0", "-", "-"],
    ]
    assert lines[3].index("backoff") == lines[4].index("waiting")
    assert "\x1b" not in out


def test_status_as_json_is_the_answer_of_the_api(cli: Cli, api: Api) -> None:
    code, out, _ = cli("status", "--json")
    assert code == 0
    assert json.loads(out).keys() == api.get("/status").json().keys()


def test_health_is_one_word_and_a_failure_is_a_no(cli: Cli, runtime: FakeRuntime) -> None:
    assert cli("health") == (0, "ok\n", "")
    runtime.change("extra", State.FAILED)
    assert cli("health") == (0, "degraded\n", "")
    runtime.change("db", State.FAILED)
    assert cli("health") == (1, "failed\n", "")


def test_ready_says_who_is_not_and_why(cli: Cli, runtime: FakeRuntime) -> None:
    assert cli("ready") == (0, "ready: 3 services\n", "")
    runtime.change("db", State.FAILED, message="exit 1")
    code, out, _ = cli("ready", "--wait", "30")
    assert code == 1
    assert out.startswith("not ready: 1 of 3 services\n")
    assert "exit 1" in out


def test_ready_waits(cli: Cli, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    assert cli("ready", "--wait", "0.05")[0] == 1
    threading.Timer(0.2, lambda: runtime.change("db", State.READY)).start()
    assert cli("ready", "--wait", "30")[0] == 0


def test_ports_and_one_port(cli: Cli, runtime: FakeRuntime) -> None:
    code, out, _ = cli("ports")
    assert code == 0
    assert "web.api-1  http  127.0.0.1:47002" in out
    assert cli("port", "--service", "db") == (0, "47001\n", "")
    assert cli("port", "--service", "db", "--port-name", "sql") == (0, "47001\n", "")
    assert cli("port", "db") == (0, "47001\n", "")
    for argv, said in (
        (["extra"], "service 'extra' has no port"),
        (
            ["exrta"],
            "there is no service 'exrta' in this bundle (did you mean 'extra'?); it has db",
        ),
        (["db", "--port-name", "slq"], "service 'db' has no port 'slq' (did you mean 'sql'?)"),
    ):
        code, out, err = cli("port", "--service", *argv)
        assert (code, out) == (1, "")
        assert err.startswith(f"bundlevisor: {said}")


def test_logs_are_bytes_as_they_are(cli: Cli, runtime: FakeRuntime) -> None:
    runtime.logs.content["db"] = "eins\nzwei ü\n".encode()
    assert cli("logs", "--service", "db", "--lines", "1") == (0, "zwei ü\n", "")
    assert cli("logs", "db", "-n", "1") == (0, "zwei ü\n", "")
    code, _, err = cli("logs", "--service", "nobody")
    assert code == 1
    assert "there is no service 'nobody'" in err


def test_following_a_log_ends_with_it(cli: Cli, runtime: FakeRuntime) -> None:
    runtime.logs.content["db"] = b"old\n"

    def write() -> None:
        wait_until(lambda: runtime.logs.subscriptions, what="subscribed")
        for chunk in (b"new\n", None):
            runtime.logs.subscriptions[0].queue.put(chunk)

    writer = threading.Thread(target=write)
    writer.start()
    assert cli("logs", "--service", "db", "--lines", "5", "-f") == (0, "old\nnew\n", "")
    writer.join()


def test_commands_name_whom_they_affect(cli: Cli, runtime: FakeRuntime) -> None:
    runtime.outcome = Outcome(affected=("web.api-1",))
    assert cli("stop", "db") == (
        0,
        "db: stop accepted, ready so far; with it: web.api-1\n",
        "",
    )
    assert runtime.commands == [("db", "stop")]
    assert cli("start", "db", "--wait", "5")[0] == 0
    runtime.outcome = Outcome(conflict="db is stopping")
    assert cli("restart", "db") == (1, "", "bundlevisor: db is stopping\n")


def test_a_command_for_what_is_so_already_says_so(cli: Cli, runtime: FakeRuntime) -> None:
    assert cli("start", "db") == (0, "db: ready already\n", "")
    assert cli("restart", "db") == (0, "db: restart accepted, ready so far\n", "")
    runtime.change("db", State.STOPPED)
    assert cli("stop", "db") == (0, "db: stopped already\n", "")
    assert cli("start", "db") == (0, "db: start accepted, stopped so far\n", "")


def test_a_command_that_is_done_says_what_it_did(cli: Cli, runtime: FakeRuntime) -> None:
    assert cli("start", "db", "--wait", "5") == (0, "db: started, ready\n", "")

    def restart() -> None:
        wait_until(lambda: runtime.commands[-1] == ("db", "restart"), what="the command")
        runtime.change("db", State.READY, instance="another")

    other = threading.Thread(target=restart)
    other.start()
    assert cli("restart", "db", "--wait", "10") == (0, "db: restarted, ready\n", "")
    other.join()


def test_a_command_that_is_not_done_in_time_is_a_no(cli: Cli, runtime: FakeRuntime) -> None:
    code, out, _ = cli("stop", "db", "--wait", "0.05")
    assert code == 1
    assert "the stop is not done" in out


def test_shutdown_is_asked_for(cli: Cli, runtime: FakeRuntime) -> None:
    assert cli("shutdown") == (0, "stopping\n", "")
    assert runtime.shutdowns == ["api"]


def test_shutdown_waits_for_the_process(cli: Cli, api: Api, runtime: FakeRuntime) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        record(cli.app_data, api.port, process.pid)
        code, out, err = cli("shutdown", "--wait", "0.05")
        assert (code, out) == (1, "")
        assert f"pid {process.pid} is still stopping" in err
        runtime.shutdown = lambda reason: process.kill()  # type: ignore[method-assign]
        assert cli("shutdown", "--wait") == (0, "stopped\n", "")


def test_shutdown_waits_as_long_as_a_stop_may_take() -> None:
    wait = whole().parse_args(["shutdown", "--wait"]).wait
    assert wait > stop_deadline.LONGEST + orderly_stop.KILL_PATIENCE + teardown.CLOSING


def test_shutdown_waits_for_what_runs_in_another_pid_namespace(
    cli: Cli, api: Api, runtime: FakeRuntime
) -> None:
    """Its pid is that of somebody who lives on here, or of nobody."""
    with subprocess.Popen([sys.executable, "-c", ""]) as nobody:
        pass
    for pid in (os.getpid(), nobody.pid):
        record(cli.app_data, api.port, pid, created=1.0)
        code, out, err = cli("shutdown", "--wait", "0.05")
        assert (code, out) == (1, "")
        assert f"pid {pid} is still stopping" in err
        gone = lambda _: instance.remove(str(cli.app_data), "instance-1")  # noqa: E731
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runtime, "shutdown", gone)
            assert cli("shutdown", "--wait") == (0, "stopped\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zombies")
def test_shutdown_does_not_wait_until_the_parent_has_noticed(
    cli: Cli, api: Api, runtime: FakeRuntime
) -> None:
    """A shell that waits for ``bundlevisor shutdown --wait`` reaps its runtime only afterwards."""
    shell = "sleep 600 & echo $!; exec sleep 600"
    with subprocess.Popen(["sh", "-c", shell], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            record(cli.app_data, api.port, child)
            runtime.shutdown = lambda reason: os.kill(child, 9)  # type: ignore[method-assign]
            done = bundlevisor(
                "shutdown", "--wait", "3600", "--app-data", str(cli.app_data), timeout=30
            )
            assert (done.returncode, done.stdout) == (0, "stopped\n")
        finally:
            parent.kill()


@absent.unless(os.path.exists("/dev/full"), "/dev/full")
def test_an_answer_that_cannot_be_written_is_a_no_with_a_sentence(
    cli: Cli, runtime: FakeRuntime
) -> None:
    runtime.logs.content["db"] = b"a line\n"
    command = [*COMMAND, "logs", "--service", "db"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*command, "--app-data", str(cli.app_data)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "bundlevisor: cannot write the answer: No space left on device\n"


def test_telemetry_says_where(cli: Cli, api: Api) -> None:
    code, out, _ = cli("telemetry")
    assert (code, out.splitlines()[0]) == (0, api.get("/telemetry").json()["path"])


def test_where_the_instance_is_may_be_said_before_the_verb(
    cli: Cli, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["secrets", "--app-data", str(cli.app_data), "list"]) == 0
    assert b"api_key" in capfdbinary.readouterr().out


def test_the_picture_of_a_start_goes_to_stdout_for_a_dash(cli: Cli) -> None:
    code, out, _ = cli("timeline", "--svg", "-")
    assert (code, out[:4]) == (0, "<svg")


def test_a_reader_that_has_enough_is_no_error(cli: Cli, runtime: FakeRuntime) -> None:
    runtime.logs.content["db"] = b"x" * 1000 + b"\n"
    runtime.logs.content["db"] *= 5000
    command = [*COMMAND, "logs", "--service", "db", "--lines", "5000"]
    with subprocess.Popen(
        [*command, "--app-data", str(cli.app_data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(WITHIN) == 0
        assert process.stderr.read() == b""
