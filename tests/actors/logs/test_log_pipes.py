"""The pipe between a service and its log, whoever holds it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.actors.logs import pipes
from bundlevisor.actors.logs.pipe_copy import READ
from bundlevisor.actors.loop.reactor import Callback, Loop
from tests.actors.logs.bench import (
    ENDLESS,
    NUMBERED,
    PATIENCE,
    SURVIVOR,
    Bench,
    close,
    everything,
)
from tests.waiting import wait_until


def test_a_drain_after_the_exit_does_not_wait_for_a_survivor_that_holds_the_pipe(
    bench: Bench,
) -> None:
    child = bench.start(SURVIVOR)
    child.wait(PATIENCE)
    survivor = psutil.Process(int(bench.drain().split()[1]))
    assert bench.ended == []
    survivor.kill()
    bench.until_end()


@pytest.mark.skipif(sys.platform == "win32", reason="a thread reads it there")
@pytest.mark.parametrize("refusals", [3, 1_000_000])
def test_a_pipe_that_cannot_be_watched_is_read_all_the_same(
    bench: Bench, loop: Loop, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    left, watch = iter(range(refusals)), loop.watch

    def full(fd: int, read: Callback | None, write: Callback | None = None) -> None:
        if next(left, None) is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        watch(fd, read, write)

    monkeypatch.setattr(loop, "watch", full)
    child = bench.start(NUMBERED, 0, 40_000)  # more than the pipe and a turn of the reader hold
    assert child.wait(PATIENCE) == 0
    bench.until_end()
    assert everything(bench.path) == b"".join(b"%09d\n" % n for n in range(40_000))


@pytest.mark.skipif(sys.platform != "linux", reason="the holders are found in /proc")
def test_who_holds_the_pipe_is_found(bench: Bench) -> None:
    read, write = pipes.make()
    spare = os.dup(read)
    child = subprocess.Popen(
        [sys.executable, "-c", SURVIVOR], stdout=write, stdin=subprocess.DEVNULL
    )
    os.close(write)
    bench.stream.attach(read, "one")
    child.wait(PATIENCE)
    survivor = int(bench.drain().split()[1])
    assert pipes.holders(spare) == {survivor}
    psutil.Process(survivor).kill()
    wait_until(lambda: not pipes.holders(spare), PATIENCE, "the end of the survivor")
    os.close(spare)


def test_a_drain_ends_although_a_survivor_goes_on_writing(bench: Bench) -> None:
    bench.start(ENDLESS)
    wait_until(lambda: bench.stream.bytes_read > 1_000_000, PATIENCE, "the flood")
    bench.drain()
    assert bench.ended == []
    assert bench.children[0].poll() is None


def test_detaching_takes_what_is_in_the_pipe_and_lets_it_go(bench: Bench) -> None:
    write = bench.write(b"first\n")
    bench.drain()
    os.write(write, b"last\n")
    bench.detach()
    bench.detach()
    assert bench.path.read_bytes() == b"first\nlast\n"
    with pytest.raises(OSError, match=r"pipe|argument"):  # EPIPE; EINVAL on Windows
        os.write(write, b"nobody hears\n")
    os.close(write)
    assert bench.ended == ["one"]
    assert bench.stream.tail("one") == b"first\nlast\n"


def test_detaching_what_was_never_attached_is_no_error(bench: Bench) -> None:
    bench.detach("unknown")
    assert bench.drain("unknown") == b""


def test_closing_takes_the_last_bytes_of_every_pipe(bench: Bench) -> None:
    write = bench.write(b"")
    bench.drain()
    os.write(write, b"last\n")
    close(bench.stream)
    assert bench.path.read_bytes() == b"last\n"
    os.close(write)


def test_neither_end_of_a_pipe_is_inherited_by_accident(bench: Bench) -> None:
    read, write = pipes.make()
    assert not os.get_inheritable(read)
    assert not os.get_inheritable(write)
    os.close(read)
    os.close(write)


def capacity(fd: int) -> int:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sizes its pipes")
def test_only_the_pipe_of_a_flood_is_widened(bench: Bench) -> None:
    quiet = bench.write(b"x" * READ, "quiet")
    loud = bench.write(b"", "loud")
    usual = capacity(quiet)
    bench.drain("quiet")

    def flood() -> bool:
        os.write(loud, b"x" * 4 * READ)
        return capacity(loud) >= 1024 * 1024

    wait_until(flood, PATIENCE, "the pipe of the flood to hold a megabyte")
    assert capacity(quiet) == usual
    os.close(quiet)
    os.close(loud)


RUNTIME = """
import subprocess, sys, time
from bundlevisor.actors.logs import pipes
from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
loop = Loop("logs", print)
loop.start()
stream = LogStream("api", LogFile(sys.argv[1]), loop, print)
read, write = pipes.make()
stream.attach(read, "one")
subprocess.Popen([sys.executable, "-c", sys.argv[2], "0", "99999999"], stdout=write)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_what_a_killed_runtime_has_taken_is_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    runtime = subprocess.Popen([sys.executable, "-c", RUNTIME, str(path), NUMBERED])
    wait_until(lambda: path.exists() and path.stat().st_size > 500_000, PATIENCE, "some output")
    runtime.kill()
    runtime.wait(PATIENCE)
    text = everything(path)
    whole = text[: text.rfind(b"\n") + 1].split()
    first = int(whole[0])
    assert whole == [b"%09d" % number for number in range(first, first + len(whole))]
