from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.core.messages import Outcome
from bundlevisor.actors.core.snapshot import State
from bundlevisor.actors.files import endpoint, instance
from bundlevisor.actors.files.instance import Instance
from bundlevisor.control.__main__ import main
from bundlevisor.control.cli import exit_codes
from bundlevisor.control.cli.arguments import parser
from bundlevisor.control.cli.help_text import TOP
from bundlevisor.control.run import options
from bundlevisor.control.run.options import COMMANDS as NAMES
from tests import absent
from tests.control.fake_runtime import BUNDLE, FakeRuntime
from tests.control.wire import TOKEN, Api
from tests.installed import COMMAND
from tests.live_runtime import bundlevisor
from tests.waiting import wait_until


class Cli:
    """Runs commands in this process against the instance whose record lies in ``app_data``."""

    def __init__(self, app_data: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.app_data = app_data
        self._capture = capture

    def __call__(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = main([*argv, "--app-data", str(self.app_data)])
        out, err = self._capture.readouterr()
        return code, out.decode(), err.decode()


def record(app_data: Path, port: int, pid: int | None = None, token: str = TOKEN) -> None:
    token_path = str(app_data / "runtime" / "auth-token")
    endpoint.write_token(token_path, token)
    endpoint.write_port(str(app_data), port)
    one = Instance(
        instance_id="instance-1",
        pid=pid or os.getpid(),
        created=0.0,
        host="127.0.0.1",
        port=port,
        token_path=token_path,
        manifest="/bundle/bundle.json",
        started_at=0.0,
    )
    instance.write(str(app_data), one)


@pytest.fixture
def cli(tmp_path: Path, api: Api, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    record(tmp_path, api.port, token=api.token)
    return Cli(tmp_path, capfdbinary)


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


def feed(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_secrets_are_listed_and_set_unseen(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = cli("secrets", "list")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["api_key", "user_prompt", "missing"],
        ["session", "per_install_generated", "set"],
    ]
    feed(monkeypatch, b"k-1 \xc3\xa9\n")
    assert cli("secrets", "set", "api_key", "--stdin") == (0, "api_key is set\n", "")
    assert runtime.stored["api_key"] == "k-1 é"
    feed(monkeypatch, b"")
    code, _, err = cli("secrets", "set", "api_key")
    assert (code, "--stdin" in err) == (2, True)
    code, _, err = cli("secrets", "set", "nobody", "--stdin")
    assert (code, "there is no secret 'nobody'" in err) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_where_the_instance_is_may_be_said_before_the_verb(
    cli: Cli, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["secrets", "--app-data", str(cli.app_data), "list"]) == 0
    assert b"api_key" in capfdbinary.readouterr().out


def test_the_picture_of_a_start_goes_to_stdout_for_a_dash(cli: Cli) -> None:
    code, out, _ = cli("timeline", "--svg", "-")
    assert (code, out[:4]) == (0, "<svg")


def test_a_secret_is_typed_without_echo(cli: Cli, runtime: FakeRuntime) -> None:
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        command = [*COMMAND, "secrets", "set", "api_key"]
        os.execv(command[0], [*command, "--app-data", str(cli.app_data)])
    shown = b""
    while b"Key: " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"k-hidden\n")
    while b"is set" not in shown:
        shown += os.read(terminal, 1000)
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)
    assert runtime.stored["api_key"] == "k-hidden"
    assert b"hidden" not in shown


def test_a_refused_secret_is_a_no_without_the_value(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bundlevisor.manifest.plan.secrets import Rejection

    problem = Rejection(id="api_key", message="does not have the format ^k-[0-9]+$")
    runtime.set_secrets = lambda values, timeout_s: (problem,)  # type: ignore[method-assign]
    feed(monkeypatch, b"hidden\n")
    code, out, err = cli("secrets", "set", "api_key", "--stdin")
    assert (code, out) == (1, "")
    assert err == "bundlevisor: api_key: does not have the format ^k-[0-9]+$\n"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*argv: str) -> tuple[int, str, str]:
        if not argv or argv[0] == "run" or argv[0].startswith("-"):
            # its process forks a guardian and adopts orphans, also when its words are wrong
            ended = bundlevisor(*argv)
            return ended.returncode, ended.stdout, ended.stderr
        code = main(argv)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_no_instance_is_4(run: Run, tmp_path: Path) -> None:
    code, out, err = run("status", "--app-data", str(tmp_path))
    assert (code, out) == (4, "")
    assert err.startswith(f"bundlevisor: no runtime runs on {tmp_path}")


@pytest.mark.parametrize("argv", [("ready",), ("start", "db"), ("stop", "db"), ("restart", "db")])
def test_who_waits_says_what_did_not_come_in_time(
    run: Run, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    code, out, err = run(*argv, "--wait", "0.2", "--app-data", str(tmp_path))
    assert (code, out) == (4, "")
    assert err.startswith(f"bundlevisor: no runtime runs on {tmp_path}")
    assert err.endswith("; waited 0.2 s for it\n")


def test_a_stop_does_not_wait_for_a_beginning(run: Run, tmp_path: Path) -> None:
    code, _, err = run("shutdown", "--wait", "600", "--app-data", str(tmp_path))
    assert (code, "waited" in err) == (4, False)


class Fulfils:
    """Replaces the pauses of a wait: the first ones do what the test has put in their place."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts = list(acts)

    def __call__(self, _seconds: float) -> None:
        if self._acts:
            self._acts.pop(0)()


def test_who_waits_meets_an_instance_that_is_being_started(
    run: Run, tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = str(tmp_path / "runtime" / "auth-token")
    acts = Fulfils(
        lambda: record(tmp_path, free_port(), os.getpid()),  # of a dead one: nobody listens
        lambda: record(tmp_path, api.port),
        lambda: endpoint.write_token(token, "of the dead one"),
        lambda: os.unlink(token),
        lambda: record(tmp_path, api.port),
    )
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.sleep", acts)
    assert run("ready", "--wait", "60", "--app-data", str(tmp_path))[:2] == (
        0,
        "ready: 3 services\n",
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_an_instance_that_died_is_4(run: Run, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    record(tmp_path, port, process.pid)
    code, _, err = run("ports", "--app-data", str(tmp_path))
    assert code == 4
    assert str(port) in err


def test_an_instance_that_takes_no_connections_is_5(run: Run, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    record(tmp_path, port, os.getpid())
    code, _, err = run("ports", "--app-data", str(tmp_path))
    assert code == 5
    assert f"pid {os.getpid()}" in err


@pytest.fixture
def mute() -> Iterator[int]:
    """A port on which whoever asks is cut off."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut_off() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                client.recv(10)
                client.close()

        thread = threading.Thread(target=cut_off, daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def test_an_instance_that_does_not_answer_is_5(run: Run, tmp_path: Path, mute: int) -> None:
    record(tmp_path, mute)
    code, out, err = run("status", "--app-data", str(tmp_path))
    assert (code, out) == (5, "")
    assert "did not answer" in err


def test_a_refused_token_is_5(cli: Cli) -> None:
    endpoint.write_token(str(cli.app_data / "runtime" / "auth-token"), "another")
    code, _, err = cli("ports")
    assert code == 5
    assert "refused the token in" in err
    assert "another program" in err


def test_an_instance_is_found_by_its_port_file_alone(cli: Cli) -> None:
    os.unlink(instance.path(str(cli.app_data)))
    assert cli("health")[0] == 0


def test_an_instance_is_found_by_its_bundle(
    run: Run, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(bundle_of(auth_token_path="keys/token")))
    from bundlevisor.manifest.format import paths

    app_data = Path(paths.app_data_folder("Notes", os.environ))
    endpoint.write_port(str(app_data), api.port)
    endpoint.write_token(str(app_data / "keys" / "token"), api.token)
    assert run("health", "--manifest", str(bundle)) == (0, "ok\n", "")
    monkeypatch.chdir(tmp_path)
    assert run("health") == (0, "ok\n", "")


def bundle_of(**ipc: Any) -> dict[str, Any]:
    return BUNDLE | {"ipc": BUNDLE["ipc"] | ipc}


def test_a_bundle_that_cannot_be_read_names_no_instance(run: Run, tmp_path: Path) -> None:
    code, _, err = run("status", "--manifest", str(tmp_path / "none.json"))
    assert code == 2
    assert "--app-data" in err


def test_validate_needs_no_instance(run: Run, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_text("{")
    code, out, _ = run("validate", "--manifest", str(bundle))
    assert code == 2
    assert out.startswith("error: ")
    assert out.endswith("not valid: 1 error\n")
    code, out, _ = run("validate", "--manifest", str(bundle), "--json")
    assert (code, json.loads(out)["valid"]) == (2, False)
    assert json.loads(out)["errors"][0]["code"] == "truncated"


def test_validate_tells_warnings_from_errors(run: Run, tmp_path: Path) -> None:
    service = {
        "id": "job",
        "type": "worker",
        "binaries": {"universal": {"path": "bin/job"}},
        "readiness": {"type": "dependencies_ready"},
        "hue": "blue",
    }
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(BUNDLE | {"services": [service], "swaps": [], "secrets": []}))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "job").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "job").chmod(0o755)
    code, out, _ = run("validate", "--manifest", str(bundle))
    assert (code, "services[0].hue" in out, out.splitlines()[-1]) == (0, True, "valid: 1 warning")


def test_schema_is_json(run: Run) -> None:
    code, out, _ = run("schema")
    assert code == 0
    assert json.loads(out)["title"].startswith("Desktop bundle")


@pytest.mark.parametrize("argv", [["--help"], ["help"], ["run", "--help"], ["-h"]])
def test_help_goes_to_stdout(run: Run, argv: list[str]) -> None:
    assert run(*argv) == (0, TOP, "")


def test_help_names_every_flag_of_run() -> None:
    for flag in options.SWITCHES | options.VALUED:
        assert f"--{flag}" in TOP


def test_the_version_is_that_of_the_runtime(run: Run) -> None:
    code, out, _ = run("--version")
    assert (code, out.split()[0]) == (0, "bundlevisor")


@pytest.mark.parametrize(
    "argv",
    [
        ["--frob"],
        ["run", "frob"],
        ["frob"],
        ["status", "--frob"],
        ["ready", "--wait", "x"],
        ["port"],
        ["port", "a", "--service", "b"],
        ["logs", "db", "--lines", "many"],
        ["logs", "db", "--since", "soon"],
        ["secrets"],
        ["secrets", "set"],
        ["timeline", "--svg"],
        ["validate", "bundle.json"],
        ["ctl"],
        ["ctl", "--port", "x", "status"],
        ["ctl", "schema"],
    ],
)
def test_misuse_is_2_with_usage_on_stderr(run: Run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith(("usage: bundlevisor", "usage: runtimectl"))
    assert err.splitlines()[-1].startswith("bundlevisor: ")


@pytest.mark.parametrize(
    ("argv", "usage", "said"),
    [
        (
            ["strat", "db"],
            "bundlevisor run",
            "no command 'strat' (did you mean 'start'?); there are",
        ),
        (["satus"], "bundlevisor run", "there are run, status, top, health"),
        (
            ["status", "--jsno"],
            "bundlevisor status",
            "unknown option: --jsno (did you mean '--json'",
        ),
        (["run", "--app-dat", "x"], "bundlevisor run", "--app-dat (did you mean --app-data?)"),
        (["port"], "bundlevisor port", "say which service: bundlevisor port ID"),
        (["ctl", "helth"], "runtimectl", "no command 'helth' (did you mean 'health'?)"),
    ],
)
def test_what_was_probably_meant_is_named_with_the_usage_of_the_command(
    run: Run, argv: list[str], usage: str, said: str
) -> None:
    _, _, err = run(*argv)
    assert err.startswith(f"usage: {usage}")
    assert said in err


def test_help_names_every_command_and_every_exit_code() -> None:
    for name in NAMES:
        assert re.search(rf"^  (\w+, )*{name}\b|^{name}$", TOP, re.MULTILINE), name
    codes = [code for name, code in vars(exit_codes).items() if name.isupper()]
    for code in codes:
        assert re.search(rf"(^|  ){code} \w", TOP.partition("exit codes")[2]), code
    served = next(one for one in parser()._actions if one.dest == "command")
    assert served.choices is not None
    assert {*served.choices} | {"run", "version", "help"} == set(NAMES)


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
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


@pytest.fixture
def ctl(
    cli: Cli, api: Api, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., tuple[int, str]]:
    """``runtimectl`` with the Go runtime's flags."""
    token = str(cli.app_data / "runtime" / "auth-token")
    flags = ["--host", "127.0.0.1", "--port", str(api.port), "--token-file", token]

    def run(*argv: str) -> tuple[int, str]:
        code = main(["ctl", *flags, *argv])
        return code, capfdbinary.readouterr()[0].decode()

    return run


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["health"], {"status"}),
        (["ready"], {"ready", "details", "gpu"}),
        (["ports"], {"services"}),
        (["status"], {"app_name"}),
        (["secrets"], {"secrets"}),
        (["secrets", "list"], {"secrets"}),
        (["validate"], {"valid"}),
        (["telemetry"], {"path", "upload_url"}),
    ],
)
def test_runtimectl_prints_what_the_api_says(
    ctl: Callable[..., tuple[int, str]], argv: list[str], keys: set[str]
) -> None:
    code, out = ctl(*argv)
    assert code == 0
    assert keys <= json.loads(out).keys()


def test_runtimectl_takes_the_commands_of_the_go_runtime(
    ctl: Callable[..., tuple[int, str]], runtime: FakeRuntime
) -> None:
    runtime.logs.content["db"] = b"one\ntwo\n"
    assert ctl("port", "--service", "db", "--port-name", "sql") == (0, "47001\n")
    assert ctl("logs", "--service", "db", "--lines", "1") == (0, "two\n")
    assert ctl("--text", "health") == (0, "ok\n")
    assert ctl("-text", "health") == (0, "ok\n")
    assert ctl("shutdown") == (0, "stopping\n")
    assert runtime.shutdowns == ["api"]


def test_runtimectl_finds_what_its_flags_leave_open(
    cli: Cli, api: Api, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = ["--app-data", str(cli.app_data)]
    assert main(["ctl", *folder, "--port", str(api.port), "health"]) == 0
    assert main(["ctl", "health", *folder]) == 0
    assert main(["ctl", *folder, "--token-file", str(cli.app_data / "none"), "health"]) == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has an entry point of that name")
def test_the_command_runtimectl_is_installed(cli: Cli, api: Api, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(Path(COMMAND[0]).with_name("runtimectl"))
    for command in (str(link), str(link.readlink())):
        told = subprocess.run(
            [command, "--app-data", str(cli.app_data), "health"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert json.loads(told.stdout)["status"] == "ok"


def test_a_program_called_runtimectl_is_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bundle/runtime/linux-x64/runtimectl", "--frob"])
    assert main() == 2
    monkeypatch.setattr(sys, "argv", ["C:\\bundle\\runtimectl.EXE".replace("\\", os.sep), "-h"])
    assert main() == 0
