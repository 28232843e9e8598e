"""A launcher that blocks and ignores signals: neither the runtime nor a service inherits that."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until, write_executable
from tests.installed import COMMAND

if sys.platform != "linux":
    pytest.skip("reads /proc", allow_module_level=True)

DEAF = b"""import os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""
SERVICE = "#!/bin/sh\necho $$ > '{out}'\nexec sleep 600\n"


def signals(status: str, kind: str) -> set[int]:
    """Return the numbers in a set of /proc/PID/status: ``SigIgn``, ``SigBlk``, ``SigCgt``.

    Without those two that the C library keeps to itself.
    """
    bits = int(status.partition(f"{kind}:")[2].split()[0], 16)
    return {number for number in signal.valid_signals() if bits >> (number - 1) & 1}


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    made = bundle(tmp_path)
    for name, handed in (("plain", False), ("handed", True)):
        made.file(f"bin/{name}", SERVICE.format(out=tmp_path / f"{name}.pid"))
        ports = {"http": {"requires_socket": handed}}
        made.service(name, f"bin/{name}", ports=ports, health=None, readiness=None)
    made.write()
    for name in ("plain", "handed"):
        (made.root / "bin" / name).chmod(0o755)
    return made


@pytest.fixture
def run(made: Bundle, tmp_path: Path) -> Iterator[Run]:
    deaf = tmp_path / "deaf"
    write_executable(deaf, DEAF)
    with starting(made, command=[str(deaf), *COMMAND]) as run:
        run.await_listening()
        yield run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_hears_what_ends_it(run: Run, number: int) -> None:
    run.kill(number)
    assert run.wait_gone() == 0
    assert run.telemetry()[-1]["event"] == "runtime_shutdown"


@pytest.mark.parametrize("name", ["plain", "handed"])
def test_its_services_have_clean_signals(run: Run, tmp_path: Path, name: str) -> None:
    wait_until(lambda: asleep(tmp_path / f"{name}.pid"), what="a service that does nothing")
    status = Path(f"/proc/{(tmp_path / f'{name}.pid').read_text().strip()}/status").read_text()
    assert signals(status, "SigIgn") == set()
    assert signals(status, "SigBlk") == set()


def asleep(path: Path) -> bool:
    """Whether it has become the program that it runs; a shell has a mask of its own at times."""
    pid = path.read_text().strip() if path.exists() else ""
    return bool(pid) and Path(f"/proc/{pid}/comm").read_text() == "sleep\n"


def test_it_ignores_and_blocks_nothing_itself(run: Run) -> None:
    own = Path(f"/proc/{run.pid}/status").read_text()
    assert signals(own, "SigBlk") == set()
    assert signals(own, "SigIgn") == {signal.SIGPIPE, signal.SIGXFSZ}


@pytest.mark.parametrize("switch", ["--keep-running", "-keep-running=True"])
def test_nohup_and_keep_running_let_it_outlive_its_terminal(
    made: Bundle, tmp_path: Path, switch: str
) -> None:
    with starting(made, switch, command=["nohup", *COMMAND]) as run:
        run.await_listening()
        wait_until(lambda: asleep(tmp_path / "plain.pid"), what="a service that does nothing")
        run.kill(signal.SIGHUP)
        assert "http" in run.ports("plain")
        status = Path(f"/proc/{(tmp_path / 'plain.pid').read_text().strip()}/status").read_text()
        assert signal.SIGHUP not in signals(status, "SigIgn")
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert run.telemetry()[-1]["details"]["reason"] == "SIGTERM received"
