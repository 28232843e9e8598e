from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bundlevisor.actors.files.rotating_file import LogFile, Position
from bundlevisor.actors.files.tail import tail
from bundlevisor.actors.logs import pipes
from bundlevisor.actors.logs.follow import Subscription
from bundlevisor.actors.logs.match import PatternMatcher
from bundlevisor.actors.logs.pipe_copy import READ
from bundlevisor.actors.logs.redact import Redactor
from bundlevisor.actors.logs.stream import Drained, LogStream
from bundlevisor.actors.loop.reactor import Loop
from tests.full_disk import fill
from tests.waiting import wait_until

PATIENCE = 60.0

NUMBERED = """
import os, sys
begin, end = int(sys.argv[1]), int(sys.argv[2])
for first in range(begin, end, 400):  # less than PIPE_BUF: each write is whole in the pipe
    os.write(1, b"".join(b"%09d\\n" % n for n in range(first, min(end, first + 400))))
"""
ENDLESS = """
import os
block = (b"y" * 99 + b"\\n") * 600
while True:
    os.write(1, block)
"""
SURVIVOR = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("leaving", child.pid, flush=True)
"""


@pytest.fixture
def faults() -> list[tuple[str, BaseException]]:
    return []


@pytest.fixture
def loop(faults: list[tuple[str, BaseException]]) -> Iterator[Loop]:
    running = Loop("logs", lambda what, error: faults.append((what, error)))
    running.start()
    yield running
    assert running.stop(PATIENCE)
    assert faults == []


def end_tree(child: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


class Bench:
    """A stream, and the programs that write to it."""

    def __init__(self, loop: Loop, path: Path, file: LogFile, service: str = "api") -> None:
        self.path = path
        self.reports: list[str] = []
        self.ended: list[str] = []
        self.stream = LogStream(service, file, loop, self.reports.append)
        self.children: list[subprocess.Popen[bytes]] = []

    def start(
        self, program: str, *args: object, instance: str = "one", redactor: Redactor | None = None
    ) -> subprocess.Popen[bytes]:
        read, write = pipes.make()
        self.stream.attach(read, instance, self.ended.append, redactor)
        child = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, args)],
            stdout=write,
            stderr=write,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(write)
        self.children.append(child)
        return child

    def write(self, data: bytes, instance: str = "one", redactor: Redactor | None = None) -> int:
        """Attach a pipe that the test writes to itself; returns the write end."""
        read, write = pipes.make()
        self.stream.attach(read, instance, self.ended.append, redactor)
        os.write(write, data)
        return write

    def matcher(self, pattern: str) -> PatternMatcher:
        return PatternMatcher(pattern, self.reports.append)

    def drain(self, instance: str = "one") -> Drained:
        drained: list[Drained] = []
        self.stream.drain(instance, drained.append)
        wait_until(lambda: drained, PATIENCE, "the drain")
        return drained[0]

    def detach(self, instance: str = "one") -> None:
        done = threading.Event()
        self.stream.detach(instance, done.set)
        assert done.wait(PATIENCE)

    def until_end(self, instance: str = "one") -> None:
        wait_until(lambda: instance in self.ended, PATIENCE, f"the end of {instance}")

    def stop(self) -> None:
        for child in self.children:
            end_tree(child)
        assert self.stream.close(PATIENCE)


@pytest.fixture
def bench(loop: Loop, tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "logs" / "api.log"
    made = Bench(loop, path, LogFile(str(path)))
    yield made
    made.stop()


def everything(path: Path) -> bytes:
    return tail(str(path), 1 << 30, 1 << 30)


def test_output_is_in_the_log_as_it_came_and_the_end_is_told(bench: Bench) -> None:
    child = bench.start("import os; os.write(1, b'out\\n'); os.write(2, b'err\\r\\n\\xff\\0')")
    bench.until_end()
    assert child.wait(PATIENCE) == 0
    assert bench.path.read_bytes() == b"out\nerr\r\n\xff\0"
    assert bench.ended == ["one"]
    assert bench.stream.bytes_read == 11
    assert bench.stream.bytes_lost == 0


def test_the_log_is_there_before_the_first_byte(bench: Bench) -> None:
    write = bench.write(b"")
    wait_until(bench.path.exists, PATIENCE, "the file")
    os.close(write)


def test_a_burst_neither_blocks_the_service_nor_grows_memory(bench: Bench) -> None:
    lines = 6_400_000
    ours = psutil.Process()
    bench.drain()
    before = most = ours.memory_info().rss
    child = bench.start(NUMBERED, 0, lines)
    while child.poll() is None:
        most = max(most, ours.memory_info().rss)
        time.sleep(0.01)
    bench.until_end()
    assert child.returncode == 0
    assert bench.stream.bytes_read == 10 * lines
    assert bench.stream.bytes_lost == 0
    assert most - before < 16 * 1024 * 1024
    assert sorted(file.name for file in bench.path.parent.iterdir()) == [
        "api.log",
        "api.log.1",
        "api.log.2",
    ]
    kept = everything(bench.path)
    assert 20 * 1024 * 1024 < len(kept) < 32 * 1024 * 1024
    assert kept.endswith(b"%09d\n" % (lines - 1))


def test_no_line_is_lost_over_many_rotations(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    bench = Bench(loop, path, LogFile(str(path), max_bytes=200_000, files=100))
    bench.start(NUMBERED, 0, 300_000)
    bench.until_end()
    assert everything(path) == b"".join(b"%09d\n" % number for number in range(300_000))
    assert len(list(tmp_path.iterdir())) > 10
    bench.stop()


def test_a_flood_does_not_starve_another_service_s_log(
    loop: Loop, bench: Bench, tmp_path: Path
) -> None:
    floods = [
        Bench(loop, tmp_path / f"{n}.log", LogFile(str(tmp_path / f"{n}.log"), max_bytes=10**6))
        for n in range(2)
    ]
    for flood in floods:
        flood.start(ENDLESS)
    wait_until(lambda: all(f.stream.bytes_read > 1_000_000 for f in floods), PATIENCE, "the floods")
    follower = bench.stream.follow()
    write = bench.write(b"")
    for number in range(50):
        os.write(write, b"line %d\n" % number)
        assert follower.read(PATIENCE) == b"line %d\n" % number
    assert all(flood.children[0].poll() is None for flood in floods)
    os.close(write)
    for flood in floods:
        flood.stop()


def test_a_line_without_end_passes_through(bench: Bench) -> None:
    bench.start("import os\nfor _ in range(8): os.write(1, b'x' * 1_000_000)")
    bench.until_end()
    assert bench.path.read_bytes() == b"x" * 8_000_000
    assert bench.stream.tail("one", max_bytes=8192) == b"x" * 8192


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_a_log_that_somebody_removes_comes_back_and_the_service_goes_on(bench: Bench) -> None:
    child = bench.start(ENDLESS)
    wait_until(bench.path.exists, PATIENCE, "the log")
    bench.path.unlink()
    wait_until(bench.path.exists, PATIENCE, "the new log")
    bench.path.unlink()
    bench.path.with_name("api.log.1").unlink(missing_ok=True)
    wait_until(bench.path.exists, PATIENCE, "the new log")
    assert child.poll() is None
    assert bench.stream.bytes_lost == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_loses_output_says_how_much_and_holds_nobody_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.path.parent.mkdir()
    fill(bench.path, monkeypatch)
    child = bench.start(NUMBERED, 0, 500_000)
    assert child.wait(PATIENCE) == 0
    bench.until_end()
    assert bench.stream.bytes_lost == 5_000_000
    assert bench.stream.tail("one", 2) == b"000499998\n000499999\n"
    assert len(bench.reports) == 1
    assert re.search("cannot write .*api.log: No space left on device", bench.reports[0])
    bench.path.unlink()
    bench.stream._sink.file._look_at = 0.0
    bench.start(NUMBERED, 0, 2, instance="two")
    bench.until_end("two")
    notice = b"[bundlevisor: 5000000 bytes lost: No space left on device]\n"
    assert bench.path.read_bytes() == notice + b"000000000\n000000001\n"
    assert len(bench.reports) == 2
    assert "5000000 bytes were lost" in bench.reports[1]
    assert bench.stream.bytes_lost == 5_000_000


def test_what_a_disk_takes_in_part_is_counted_to_the_byte(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    free = 1000

    def write(fd: int, data: bytes) -> int:
        nonlocal free
        if free == 0:
            raise OSError(28, "No space left on device")
        taken = os.write(fd, data[:free])
        free -= taken
        return taken

    bench = Bench(loop, path, LogFile(str(path), write=write))
    end = bench.write(b"a" * 1500 + b"\n")
    wait_until(lambda: bench.stream.bytes_lost == 501, PATIENCE, "the loss")
    free = 10**6
    os.write(end, b"after\n")
    os.close(end)
    bench.until_end()
    assert path.read_bytes() == (
        b"a" * 1000 + b"\n[bundlevisor: 501 bytes lost: No space left on device]\nafter\n"
    )
    bench.stop()


def test_a_follower_gets_the_last_lines_and_all_that_comes_without_a_gap(bench: Bench) -> None:
    bench.start(NUMBERED, 0, 300_000)
    wait_until(lambda: bench.stream.bytes_read > 200_000, PATIENCE, "some output")
    follower = bench.stream.follow(50)
    got = b""
    while not got.endswith(b"000299999\n"):
        data = follower.read(PATIENCE)
        assert data
        got += data
    first = int(got[:9])
    assert got.startswith(b"%09d\n" % first)
    assert got == b"".join(b"%09d\n" % number for number in range(first, 300_000))
    follower.close()
    assert follower.read(PATIENCE) is None


def test_a_follower_that_does_not_read_slows_nobody(bench: Bench) -> None:
    sleeping = bench.stream.follow()
    awake = bench.stream.follow()
    got: list[bytes] = []

    def read() -> None:
        while (data := awake.read(PATIENCE)) is not None:
            got.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    child = bench.start(NUMBERED, 0, 500_000)
    assert child.wait(PATIENCE) == 0
    bench.until_end()
    assert bench.stream.close(PATIENCE)
    reader.join(PATIENCE)
    assert b"".join(got).endswith(b"000499999\n")
    late = sleeping.read(PATIENCE)
    assert late is not None
    notice, rest = late.split(b"\n", 1)
    skipped = int(re.fullmatch(rb"\[bundlevisor: (\d+) lines skipped\]", notice)[1])  # type: ignore[index]
    assert rest == b"".join(b"%09d\n" % number for number in range(skipped, 500_000))
    assert sleeping.read(PATIENCE) is None


def test_a_follower_of_a_closed_log_is_at_its_end(bench: Bench) -> None:
    os.close(bench.write(b"one\n"))
    bench.until_end()
    assert bench.stream.close(PATIENCE)
    follower: Subscription = bench.stream.follow(10)
    assert follower.read(PATIENCE) == b"one\n"
    assert follower.read(PATIENCE) is None


def test_after_a_crash_the_last_lines_are_told(bench: Bench) -> None:
    child = bench.start(NUMBERED + "\nos.write(1, b'last words')\nos.abort()", 0, 5000)
    assert child.wait(PATIENCE) != 0
    drained = bench.drain()
    assert drained.tail == b"".join(b"%09d\n" % n for n in range(4601, 5000)) + b"last words"
    assert drained.instance == "one"


def test_a_drain_after_the_exit_does_not_wait_for_a_survivor_that_holds_the_pipe(
    bench: Bench,
) -> None:
    child = bench.start(SURVIVOR)
    child.wait(PATIENCE)
    drained = bench.drain()
    assert drained.ended is False
    survivor = psutil.Process(int(drained.tail.split()[1]))
    assert bench.ended == []
    survivor.kill()
    bench.until_end()
    assert bench.drain().ended is True


@pytest.mark.skipif(sys.platform != "linux", reason="the holders are found in /proc")
def test_who_holds_the_pipe_is_found(bench: Bench) -> None:
    read, write = pipes.make()
    spare = os.dup(read)
    child = subprocess.Popen(
        [sys.executable, "-c", SURVIVOR], stdout=write, stdin=subprocess.DEVNULL
    )
    os.close(write)
    bench.stream.attach(read, "one", bench.ended.append)
    child.wait(PATIENCE)
    survivor = int(bench.drain().tail.split()[1])
    assert pipes.holders(spare) == {survivor}
    psutil.Process(survivor).kill()
    wait_until(lambda: not pipes.holders(spare), PATIENCE, "the end of the survivor")
    os.close(spare)


def test_a_drain_ends_although_a_survivor_goes_on_writing(bench: Bench) -> None:
    bench.start(ENDLESS)
    wait_until(lambda: bench.stream.bytes_read > 1_000_000, PATIENCE, "the flood")
    assert bench.drain().ended is False
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
    assert bench.ended == []
    assert bench.stream.tail("one") == b"first\nlast\n"


def test_detaching_what_was_never_attached_is_no_error(bench: Bench) -> None:
    bench.detach("unknown")
    assert bench.drain("unknown") == Drained("unknown", b"", ended=True)


def test_a_pattern_is_looked_for_in_this_incarnation_only_and_told_once(bench: Bench) -> None:
    os.close(bench.write(b"ready in an earlier life\n"))
    bench.until_end()
    told: list[str] = []
    bench.stream.watch("two", bench.matcher("^ready"), told.append)
    write = bench.write(b"starting\nrea", "two")
    bench.drain("two")
    assert told == []
    os.write(write, b"dy now\n")
    wait_until(lambda: told, PATIENCE, "the match")
    os.write(write, b"ready again\n")
    bench.drain("two")
    assert told == ["two"]
    os.close(write)


def test_the_first_byte_of_an_incarnation_is_looked_at(bench: Bench) -> None:
    told: list[str] = []
    bench.stream.watch("one", bench.matcher("^up$"), told.append)
    bench.start("print('up')")
    bench.until_end()
    assert told == ["one"]


def test_a_pattern_that_is_asked_for_late_is_looked_for_in_the_last_lines_too(
    bench: Bench,
) -> None:
    write = bench.write(b"up\n")
    bench.drain()
    told: list[str] = []
    bench.stream.watch("one", bench.matcher("^up$"), told.append)
    wait_until(lambda: told, PATIENCE, "the match")
    os.close(write)


def test_a_matcher_that_answers_late_is_heard_without_more_output(bench: Bench) -> None:
    told: list[str] = []
    large = bench.matcher("^up$|a{1000}")  # its program is not for the log's thread
    bench.stream.watch("one", large, told.append)
    write = bench.write(b"up\n")
    wait_until(lambda: told, PATIENCE, "the match")
    os.close(write)


def test_two_patterns_of_one_incarnation_are_told_each(bench: Bench) -> None:
    told: list[str] = []
    bench.stream.watch("one", bench.matcher("^b$"), lambda _: told.append("b"))
    bench.stream.watch("one", bench.matcher("^a$"), lambda _: told.append("a"))
    write = bench.write(b"a\n")
    wait_until(lambda: told == ["a"], PATIENCE, "the first match")
    os.write(write, b"b\n")
    wait_until(lambda: told == ["a", "b"], PATIENCE, "the second match")
    os.close(write)


def test_a_secret_is_in_no_log_no_tail_and_no_follower(bench: Bench) -> None:
    secret = b"hunter2-hunter2"
    follower = bench.stream.follow()
    write = bench.write(b"key " + secret[:6], redactor=Redactor([("KEY", secret)]))
    bench.drain()
    assert bench.stream.tail("one") == b"key [secret:KEY]"
    assert bench.path.read_bytes() == b"key "
    os.write(write, secret[6:] + b"\nagain " + secret + b"\nhalf " + secret[:8])
    os.close(write)
    bench.until_end()
    shown = b"key [secret:KEY]\nagain [secret:KEY]\nhalf [secret:KEY]"
    assert bench.path.read_bytes() == shown
    assert bench.stream.tail("one") == shown
    assert bench.stream.close(PATIENCE)
    followed = b""
    while (data := follower.read(PATIENCE)) is not None:
        followed += data
    assert followed == shown


def test_the_beginning_of_each_incarnation_is_known_and_begins_a_line(bench: Bench) -> None:
    os.close(bench.write(b"torn"))
    bench.until_end()
    first = bench.stream.began("one")
    assert first is not None
    assert first.offset == 0
    os.close(bench.write(b"next\n", "two"))
    bench.until_end("two")
    assert bench.path.read_bytes() == b"torn\nnext\n"
    assert bench.stream.began("two") == Position(first.generation, 5)
    assert bench.stream.began("never") is None


def test_the_tails_of_old_incarnations_are_let_go(bench: Bench) -> None:
    for number in range(10):
        os.close(bench.write(b"%d\n" % number, str(number)))
        bench.until_end(str(number))
    assert bench.stream.tail("0") == b""
    assert bench.stream.tail("9") == b"9\n"
    assert len(bench.stream._intakes) <= 4


def test_closing_takes_the_last_bytes_of_every_pipe(bench: Bench) -> None:
    write = bench.write(b"")
    bench.drain()
    os.write(write, b"last\n")
    assert bench.stream.close(PATIENCE)
    assert bench.path.read_bytes() == b"last\n"
    os.close(write)


def test_two_services_can_write_to_one_file(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "all.log"
    shared = LogFile(str(path), max_bytes=50_000, files=100)
    both = [Bench(loop, path, shared, service) for service in ("a", "b")]
    for bench in both:
        bench.start(NUMBERED, 0, 20_000)
    for bench in both:
        bench.until_end()
    assert sorted(everything(path).split()) == sorted(
        [b"%09d" % number for number in range(20_000)] * 2
    )
    for bench in both:
        bench.stop()


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
stream.attach(read, "one", print)
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
