"""A service puts a daemon of nobody's into the world at once, and nothing of it outlives a stop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import of_pids
from tests.bundle_maker import Bundle, bundle, running, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="setsid(1), prctl(2)")

TIMES, TOGETHER = 20, 5
"""How many daemons are left, and how many of them by one run where the run ends."""
SERVICE = """#!/bin/sh
sleep {delay}
setsid -f env -i sleep {seconds} </dev/null >/dev/null 2>&1
: > {told}
exec sleep 600
"""
CHECK = """#!/bin/sh
printf x >> {checks}
setsid env -i sleep {seconds} </dev/null >/dev/null 2>&1 &
"""


class Daemons:
    """Bundles whose services start daemons that sleep for a time which no other process names."""

    def __init__(self, folder: Path) -> None:
        self.seconds = f"{10_000 + os.getpid()}.{os.urandom(4).hex().translate(DIGITS)}"
        self._folder = folder

    def made(
        self, number: int, delay_ms: int, leavers: int = 1, others: Iterable[str] = ()
    ) -> tuple[Bundle, list[Path]]:
        """Return a bundle, and for each leaver a file, there once its daemon was started."""
        folder = self._folder / str(number)
        made = bundle(folder)
        told = [folder / f"told-{one}" for one in range(leavers)]
        for one, path in enumerate(told):
            source = SERVICE.format(delay=delay_ms / 1000, seconds=self.seconds, told=path)
            id_ = f"leaver{one}"
            made.file(f"bin/{id_}", source).service(id_, f"bin/{id_}", ports=())
        for other in others:
            made.service(other)
        made.write()
        for one in range(leavers):
            (made.root / f"bin/leaver{one}").chmod(0o755)
        return made, told

    def checked(self) -> Bundle:
        """Return a bundle with a service whose health command leaves a daemon behind each time."""
        made = bundle(self._folder)
        checks = self._folder / "checks"
        check = CHECK.format(seconds=self.seconds, checks=checks)
        health = {"type": "command", "command": ["bin/check"], "interval_ms": 50}
        made.file("bin/check", check).service("web", health=health).service("other").write()
        (made.root / "bin/check").chmod(0o755)
        return made

    def checks(self) -> int:
        """Return how often the health command has run."""
        path = self._folder / "checks"
        return path.stat().st_size if path.exists() else 0

    def alive(self) -> list[psutil.Process]:
        named = self.seconds.encode()
        pids = (int(pid) for pid in os.listdir("/proc") if pid.isdecimal())
        return list(of_pids(pid for pid in pids if named in words_of(pid)))

    def the_one(self) -> psutil.Process:
        """Return the only daemon, as soon as it is what it will be.

        Until then setsid(1) has the same words, and shows none in the moment of an exec.
        """

        def sleeping() -> list[psutil.Process]:
            return [one for one in self.alive() if words_of(one.pid)[:1] == [b"sleep"]]

        (one,) = wait_until(sleeping, what="the daemon's own program")
        return one


def words_of(pid: int) -> list[bytes]:
    """Return a process' words, read as they are: all are asked, and often."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as words:
        return words.read().split(b"\0")
    return []


DIGITS = str.maketrans("abcdef", "012345")


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    made = Daemons(tmp_path)
    yield made
    for process in made.alive():
        process.kill()


@pytest.mark.parametrize("delay_ms", [0, 20, 40])
def test_an_orderly_end_leaves_no_daemon(daemons: Daemons, delay_ms: int) -> None:
    for number in range(TIMES // TOGETHER):
        made, told = daemons.made(number, delay_ms, TOGETHER)
        with running(made) as run:
            wait_until(lambda: all(path.exists() for path in told), what="the daemons")  # noqa: B023
            wait_until(lambda: len(daemons.alive()) >= TOGETHER, what="the daemons' own programs")
            run.kill(signal.SIGTERM)
            assert run.wait_gone() == 0
            assert daemons.alive() == []


@pytest.mark.parametrize("delay_ms", [0, 20, 40])
def test_a_stop_of_the_service_ends_its_daemon_whatever_else_runs(
    daemons: Daemons, delay_ms: int
) -> None:
    made, (told,) = daemons.made(0, delay_ms, others=["db", "api"])
    with running(made) as run:
        run.until_ready()
        for _ in range(TIMES):
            wait_until(told.exists, what="the daemon")
            wait_until(daemons.alive, what="the daemon's own program")
            run.post("/services/leaver0/stop?wait=20")
            assert daemons.alive() == []
            assert not run.events("db", "signal")
            told.unlink()
            run.post("/services/leaver0/start")


def test_a_daemon_is_ended_before_the_next_start_though_nobody_could_look_for_it(
    daemons: Daemons,
) -> None:
    """The runtime has no descriptor left when its service ends, and has some again later."""
    import resource

    made, (told,) = daemons.made(0, 0)
    with running(made) as run:
        run.until_ready()
        wait_until(told.exists, what="the daemon")
        run.await_told("service_start", "leaver0")  # its file is open, and needs no descriptor
        first, leader = daemons.the_one(), run.service("leaver0")["pid"]
        few, most = resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE, (4, most))
        told.unlink()
        os.kill(leader, signal.SIGKILL)
        run.await_told("service_exit", "leaver0")
        resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE, (few, most))
        wait_until(told.exists, what="the daemon of the next start")
        assert first not in daemons.alive()


def test_a_daemon_that_has_ended_is_reaped_while_the_runtime_goes_on(daemons: Daemons) -> None:
    made, _ = daemons.made(0, 0)
    with running(made) as run:
        run.until_ready()
        one = daemons.the_one()
        one.kill()
        wait_until(lambda: not psutil.pid_exists(one.pid), what="no zombie of it")


def test_a_stop_of_the_service_leaves_no_zombie_that_a_pid_file_may_name(daemons: Daemons) -> None:
    made, (told,) = daemons.made(0, 0)
    with running(made) as run:
        run.until_ready()
        wait_until(told.exists, what="the daemon")
        one = daemons.the_one()
        run.post("/services/leaver0/stop?wait=20")
        assert not psutil.pid_exists(one.pid)


NOBODYS = """
import contextlib, os, resource, signal, sys, time
told = sys.argv[sys.argv.index("--told") + 1]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    with contextlib.suppress(ValueError):
        resource.setrlimit(10, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.execve("/bin/sh", ["sh", "-c", "exec sleep {SECONDS} <&- >&- 2>&-"], {})
os.wait()
signal.signal(signal.SIGTERM, signal.SIG_DFL)
open(told, "w").close()
time.sleep(600)
"""


def test_a_daemon_of_nobodys_holds_up_no_service_that_ends(
    daemons: Daemons, tmp_path: Path
) -> None:
    """It is deaf, and shows nothing: the service that ends last is not taken for its own."""
    source = NOBODYS.replace("{SECONDS}", daemons.seconds)
    made = bundle(tmp_path).script("bin/leaver", source).service("last")
    options = {"told": tmp_path / "told"}
    made.service("leaver", "bin/leaver", ports=(), deps=["last"], options=options).write()
    with running(made) as run:
        run.until_ready()
        wait_until(daemons.alive, what="the daemon's own program")
        wait_until((tmp_path / "told").exists, what="its service, which heeds signals")
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert daemons.alive() == []
        assert not [event for event in run.telemetry() if event["event"] == "service_killed"]


def test_the_daemons_of_a_health_command_do_not_pile_up(daemons: Daemons) -> None:
    with running(daemons.checked()) as run:
        run.until_ready()
        wait_until(lambda: daemons.checks() >= TIMES, what="many checks")
        wait_until(lambda: len(daemons.alive()) <= 1, what="an end of the earlier ones")
        assert run.post("/services/web/stop?wait=20").json()["done"]
        wait_until(lambda: not daemons.alive(), what="an end of the last check's daemon")
