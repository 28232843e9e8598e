from __future__ import annotations

import subprocess
import sys

import pytest

from bundlevisor.actors.process.windows import console
from tests.windows import started as services

assert sys.platform == "win32"

OBEDIENT = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGBREAK, lambda *_: sys.exit(3))\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(0.05)\n"
)
HAS_CONSOLE = (
    "import subprocess, sys\n"
    "from bundlevisor.actors.process.windows import console\n"
    "ask = 'from bundlevisor.actors.process.windows import console as c; print(c.present())'\n"
    "before = console.present()\n"
    "flags = console.spawn_flags()\n"
    "hidden = bool(flags & subprocess.CREATE_NO_WINDOW)\n"
    "print(before, console.present(), hidden, flush=True)\n"
    "subprocess.run([sys.executable, '-c', ask], creationflags=flags)\n"
)


def _consoles(flags: int) -> list[str]:
    """Return: a console at first, one later, services get their own, a service has one."""
    said = subprocess.run(
        [sys.executable, "-c", HAS_CONSOLE],
        creationflags=flags,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.split()


def test_a_runtime_with_a_console_shares_it() -> None:
    assert _consoles(subprocess.CREATE_NO_WINDOW) == ["True", "True", "False", "True"]


def test_a_runtime_without_a_console_joins_a_hidden_one_and_shares_that() -> None:
    assert _consoles(subprocess.DETACHED_PROCESS) == ["False", "True", "False", "True"]


@pytest.mark.skipif(services.under_wine(), reason="Wine knows no process groups in a console")
def test_a_service_hears_the_request_to_stop(start: services.Starter) -> None:
    obedient, neighbour = start(OBEDIENT), start(services.SLEEPS)
    assert obedient.line() == "up"
    assert obedient.child.ask_to_stop("SIGTERM")
    assert obedient.ended.wait(services.DEADLINE)
    assert obedient.child.poll() == 3
    assert neighbour.child.poll() is None


def test_asking_never_ends_a_service_by_force(start: services.Starter) -> None:
    deaf = start(
        "import signal, time\n"
        "signal.signal(signal.SIGBREAK, signal.SIG_IGN)\n"
        "print('up', flush=True); time.sleep(600)"
    )
    assert deaf.line() == "up"
    deaf.child.ask_to_stop("SIGTERM")
    assert not deaf.ended.wait(0.3)


def test_a_service_that_has_ended_is_not_asked(start: services.Starter) -> None:
    started = start("pass")
    assert started.ended.wait(services.DEADLINE)
    assert started.child.ask_to_stop("SIGTERM") is False


def test_sigkill_as_the_stop_signal_kills(start: services.Starter) -> None:
    started = start(services.SLEEPS)
    assert started.child.ask_to_stop("SIGKILL")
    assert started.ended.wait(services.DEADLINE)


@pytest.mark.parametrize("pid", [0, -1])
def test_the_group_of_everybody_is_never_asked(pid: int) -> None:
    assert console.send_break(pid) is False
