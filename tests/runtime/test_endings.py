"""However the runtime ends, nothing is left: signals, the shell's death, stubborn services."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import described
from tests.bundle_maker import Run, bundle, bundlevisor, running, starting, wait_until
from tests.installed import COMMAND
from tests.waiting import WITHIN

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def left_on_disk(run: Run) -> list[str]:
    folder = run.app_data / "runtime"
    return [name for name in ("auth-token", "ipc_port") if (folder / name).exists()]


def hears(pid: int, number: int) -> bool:
    """Whether the process has a handler of its own for a signal (SigCgt in proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_everything_in_order_with_code_0(tmp_path: Path, name: str) -> None:
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).write()
    with running(made) as run:
        run.until_ready()
        assert left_on_disk(run) == ["auth-token", "ipc_port"]
        run.kill(signal.Signals[name])
        assert run.wait_gone() == 0
        assert not left_on_disk(run)
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert run.telemetry()[-1]["event"] == "runtime_shutdown"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_in_the_first_moments_ends_with_code_0_and_without_a_word(
    tmp_path: Path, name: str
) -> None:
    made = bundle(tmp_path).service("db").write()
    with starting(made) as run:
        last_set = signal.SIGHUP  # Python has a handler for SIGINT from its own start on
        wait_until(lambda: hears(run.pid, last_set), what="handlers for the signals")
        run.kill(signal.Signals[name])
        assert run.wait_gone() == 0
        assert not left_on_disk(run)
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert "Traceback" not in run.stderr


HEARD_BY_ANOTHER_THREAD = """
import signal, threading
from bundlevisor.control.run.shutdown_requests import ShutdownRequests
ending = ShutdownRequests()
ending.hear_signals()
def hear():
    print("waiting", flush=True)
    input()
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    threading.Event().wait()
threading.Thread(target=hear, daemon=True).start()
print(ending.wait().reason, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals between threads")
def test_a_signal_that_does_not_interrupt_the_main_thread_is_heard_all_the_same() -> None:
    """As one that comes just before it begins to wait; here another thread is given it."""
    with subprocess.Popen(
        [sys.executable, "-c", HEARD_BY_ANOTHER_THREAD],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"waiting\n"
            wait_until(lambda: sleeping(process.pid), what="a main thread that waits")
            out, _ = process.communicate(b"\n", timeout=WITHIN)
            assert out == b"SIGTERM received\n"
        finally:
            process.kill()


def sleeping(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_SLEEPING


STUBBORN: dict[str, tuple[str, dict[str, int]]] = {
    "deaf": ("ignores_term", {}),
    "family": ("forks_grandchild", {"children": 3}),
    "family-on-port": ("forks_grandchild", {"children": 2, "hold_port": 1}),
    "daemon": ("double_fork", {"deaf": 1}),
    "daemon-on-stdout": ("double_fork", {"deaf": 1, "keep_stdout": 1}),
    "daemon-unmarked": ("double_fork", {"deaf": 1, "clear_env": 1}),
    "slow": ("stops_slowly", {"stop_ms": 60_000}),
}


@posix
def test_stubborn_trees_are_killed_after_their_grace(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for id_, (program, options) in STUBBORN.items():
        made.service(id_, program, options=options, stop={"timeout_ms": 3000})
    with running(made.write()) as run:
        run.until_ready()
        for id_, (program, _) in STUBBORN.items():
            alone = program in ("ignores_term", "stops_slowly")
            wait_until(lambda: alone or run.events(id_, "started")[1:], what=f"all of {id_}")  # noqa: B023
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        wait_until(
            lambda: not run.leftovers(),
            what="no process left",
            story=lambda: described(run.leftovers()),
        )
        for id_ in STUBBORN:
            assert run.events(id_, "signal"), f"{id_} was asked first"


def test_a_stop_by_command_ends_grandchildren_too(tmp_path: Path) -> None:
    made = bundle(tmp_path).service(
        "db", "double_fork", options={"deaf": 1}, stop={"timeout_ms": 100}
    )
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: run.events("db", "started")[1:], what="the daemon")
        assert run.post("/services/db/stop?wait=60").json()["state"] == "stopped"
        pids = {event["pid"] for event in run.record("db")}
        assert not [process for process in run.leftovers() if process.pid in pids]


@posix
def test_a_sigterm_during_the_shutdown_does_not_cut_it_short(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "stops_slowly", options={"stop_ms": 500}).write()
    with running(made) as run:
        run.until_ready()
        assert run.post("/shutdown").status == 202
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert [event["code"] for event in run.events("db", "exit")] == [0]


@posix
def test_a_second_interrupt_kills(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "ignores_term", stop={"timeout_ms": 50_000}).write()
    with running(made) as run:
        run.until_ready()
        run.kill(signal.SIGINT)
        wait_until(lambda: run.events("db", "signal"), what="the first stop signal")
        said = "waiting for db to stop (Ctrl-C again kills)"
        wait_until(lambda: said in run.stderr, what="who is waited for, and what to do")
        run.kill(signal.SIGINT)
        assert run.wait_gone() == 0
        assert [one["exit_code"] for one in run.await_told("service_exit", "db")] == [-9]
        wait_until(lambda: not run.leftovers(), what="no process left")


@posix
def test_two_more_signals_of_other_kinds_kill(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "ignores_term", stop={"timeout_ms": 600_000}).write()
    with running(made) as run:
        run.until_ready()
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP):
            run.kill(number)
            wait_until(lambda: run.events("db", "signal"), what="the first stop signal")
        assert run.wait_gone() == 0
        wait_until(lambda: not run.leftovers(), what="no process left")


def test_the_end_of_a_piped_stdin_ends_the_runtime(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made, stdin=subprocess.PIPE) as run:
        run.until_ready()
        assert run.process.stdin is not None
        run.process.stdin.close()
        assert run.wait_gone() == 0
        assert not left_on_disk(run)


def test_keep_running_outlives_the_end_of_stdin(tmp_path: Path) -> None:
    """Another runtime shares the stdin: when that has ended for it, this one has seen it, too."""
    kept, mortal = (bundle(tmp_path / name).service("db").write() for name in ("kept", "mortal"))
    stdin, shell = os.pipe()
    try:
        with (
            running(kept, "--keep-running", stdin=stdin) as run,
            running(mortal, stdin=stdin) as other,
        ):
            run.until_ready()
            other.until_ready()
            os.close(shell)
            shell = -1
            assert other.wait_gone() == 0
            assert run.post("/services/db/restart?wait=30").json()["done"]
            assert run.process.poll() is None
            assert "runtime_shutdown" not in [event["event"] for event in run.telemetry()]
    finally:
        os.close(stdin)
        if shell >= 0:
            os.close(shell)


SHELL = """
import subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
print(process.stdout.readline().decode(), end="", flush=True)
print(process.pid, flush=True)
sys.stdin.read()
"""


@posix
def test_the_death_of_the_process_that_started_it_ends_the_runtime(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    command = [
        *COMMAND,
        "run",
        "--manifest",
        str(made.path),
        "--app-data",
        str(made.app_data),
    ]
    with subprocess.Popen(
        [sys.executable, "-c", SHELL, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        runtime = psutil.Process(int(shell.stdout.readline()))
        wait_until(lambda: made.events("db", "listening"), what="db to listen")
        shell.kill()
        wait_until(lambda: not runtime.is_running(), what="the runtime to end after its shell")
    assert [event["signal"] for event in made.events("db", "signal")] == [signal.SIGTERM]
    assert not (made.app_data / "runtime" / "ipc_port").exists()


def test_a_second_instance_is_refused_and_destroys_nothing(tmp_path: Path) -> None:
    made = bundle(tmp_path / "Application Support").service("db").write()
    with running(made) as run:
        run.until_ready()
        second = bundlevisor("run", "--manifest", str(made.path), "--app-data", str(run.app_data))
        assert second.returncode == 3
        said = json.loads(second.stderr.splitlines()[-1])["message"]
        assert str(run.pid) in said
        assert str(run.port) in said
        where = f'--app-data "{run.app_data}"'
        assert f"bundlevisor status {where}; " in said
        assert f"bundlevisor shutdown {where}" in said
        assert run.get("/readyz").status == 200
        assert left_on_disk(run) == ["auth-token", "ipc_port"]
        assert len(run.events("db", "started")) == 1


@posix
def test_a_closed_stderr_does_not_disturb_the_orderly_end(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    read, write = os.pipe()
    process = subprocess.Popen(
        [
            *COMMAND,
            "run",
            "--manifest",
            str(made.path),
            "--app-data",
            str(made.app_data),
        ],
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=write,
    )
    os.close(write)
    try:
        assert os.read(read, 10)
        wait_until(lambda: made.events("db", "listening"), what="db to listen")
        os.close(read)
        process.terminate()
        assert process.wait(WITHIN) == 0
    finally:
        process.kill()
        process.wait()
    assert made.events("db", "exit")
