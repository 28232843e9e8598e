"""The states in which a log reader can be killed, one by one; test_log_survival kills it."""

from __future__ import annotations

import array
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.guardian.disk import Disk
from bundlevisor.actors.guardian.drain import Drain
from bundlevisor.actors.guardian.inflight import CHUNK, OUTPUT, SIZE, Inflight
from bundlevisor.actors.guardian.relay import Relay
from bundlevisor.actors.guardian.shared_memory import shared_memory
from tests.waiting import WITHIN

if sys.platform == "win32":
    pytest.skip("no memory is shared with the guardian there", allow_module_level=True)

import fcntl
import termios


class Scene:
    """A pipe, a log, and the memory between a reader and its guardian."""

    def __init__(self, log: Path) -> None:
        self.memory = shared_memory("test", SIZE)
        self.relay = shared_memory("relay", 0)
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.log = log
        self.file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.held: list[tuple[str, bytes]] = []
        self.reader = Inflight(self.memory, lambda name, held: self.held.append((name, held)))

    def service_writes(self, data: bytes) -> None:
        os.write(self.write_end, data)

    def reads(self) -> bytes:
        return self.reader.read("r-1", self.read_end)

    def runtime_dies(self, secrets: tuple[tuple[str, bytes], ...] = ()) -> bytes:
        """Return what the log holds after the guardian has done its part."""
        drain = self.guardian_acts(secrets)
        drain.empty()
        drain.close()
        return self.log.read_bytes()

    def unread(self) -> int:
        """Return how many bytes are in the pipe."""
        count = array.array("i", [0])
        fcntl.ioctl(self.read_end, termios.FIONREAD, count)
        return count[0]

    def guardian_acts(
        self, secrets: tuple[tuple[str, bytes], ...] = (), disk: Disk | None = None
    ) -> Drain:
        """Return the log's drain in the hands of a guardian, or of another one after it."""
        relay = Relay(self.relay, ["r-1"] if secrets else [], {}, self.memory)
        held = relay.held.get("r-1", b"")
        pipe, log = os.dup(self.read_end), str(self.log)
        drain = Drain(pipe, log, secrets, held, disk, "r-1", relay.copy)
        if rescued := relay.resume():
            assert rescued.instance == "r-1"
            drain.rescue(rescued)
        return drain

    def close(self) -> None:
        for fd in (self.relay, self.memory, self.read_end, self.write_end, self.file):
            os.close(fd)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "log")
    yield made
    made.close()


def test_nothing_in_flight_is_nothing_to_do(scene: Scene) -> None:
    scene.service_writes(b"one\n")
    assert scene.runtime_dies() == b"one\n"


def test_killed_after_the_read(scene: Scene) -> None:
    scene.service_writes(b"one\n")
    assert scene.reads() == b"one\n"
    scene.service_writes(b"two\n")
    assert scene.runtime_dies() == b"one\ntwo\n"


def test_killed_in_the_read_before_its_length_is_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.service_writes(b"one\0\n")

    def read_and_die(fd: int, chunk: memoryview) -> int:
        os.readv(fd, [chunk])
        raise KeyboardInterrupt

    monkeypatch.setattr("bundlevisor.actors.guardian.inflight._read_into", read_and_die)
    with pytest.raises(KeyboardInterrupt):
        scene.reads()
    assert scene.runtime_dies() == b"one\0\n"


def test_killed_after_the_write(scene: Scene) -> None:
    scene.service_writes(b"one\n")
    assert scene.reader.write(scene.file, scene.reads()) == 4
    assert scene.runtime_dies() == b"one\n"


def test_killed_in_the_write_before_it_is_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.service_writes(b"one\ntwo\n")
    data = scene.reads()
    write = os.write

    def write_half_and_die(fd: int, data: bytes) -> int:
        write(fd, data[:6])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write_half_and_die)
        with pytest.raises(KeyboardInterrupt):
            scene.reader.write(scene.file, data)
    assert scene.runtime_dies() == b"one\ntwo\n"


def test_killed_between_two_pieces_with_a_rotation_in_between(scene: Scene) -> None:
    scene.service_writes(b"one\ntwo\n")
    data = scene.reads()
    scene.reader.write(scene.file, data[:4])
    scene.log.rename(f"{scene.log}.1")
    assert scene.runtime_dies() == b"two\n"
    assert Path(f"{scene.log}.1").read_bytes() == b"one\n"


def test_killed_between_two_chunks(scene: Scene) -> None:
    scene.service_writes(b"long line\n")
    scene.reader.write(scene.file, scene.reads())
    scene.reader.done()
    scene.service_writes(b"s\n")
    scene.reads()
    assert scene.runtime_dies() == b"long line\ns\n"


def test_what_the_reader_itself_adds_to_the_log_is_not_taken_for_the_service(scene: Scene) -> None:
    scene.service_writes(b"one\n")
    data = scene.reads()
    assert scene.reader.write(scene.file, b"[notice]\n") == 9
    scene.reader.write(scene.file, data)
    assert scene.runtime_dies() == b"[notice]\none\n"


def test_killed_while_the_redacted_text_is_written(scene: Scene) -> None:
    scene.service_writes(b"key=hunter22\n")
    scene.reads()
    text = b"key=[secret:key]\n"
    scene.reader.output("r-1", text)
    scene.reader.write(scene.file, text[:5])
    assert scene.runtime_dies((("key", b"hunter22"),)) == text


def test_killed_before_the_text_was_redacted(scene: Scene) -> None:
    """The guardian redacts what it writes, also across the border of what was in flight."""
    scene.service_writes(b"key=hun")
    scene.reads()
    scene.service_writes(b"ter22\n")
    assert scene.runtime_dies((("key", b"hunter22"),)) == b"key=[secret:key]\n"


def test_what_a_redactor_holds_back_is_told_when_it_changes(scene: Scene) -> None:
    for data, held in ((b"a\n", b""), (b"hun", b"hun"), (b"", b"hun"), (b"x\n", b"")):
        scene.service_writes(data or b"-")
        scene.reads()
        scene.reader.output("r-1", b"", held)
        scene.reader.done()
    assert scene.held == [("r-1", b"hun"), ("r-1", b"")]


def test_a_text_that_is_too_long_is_written_all_the_same(scene: Scene) -> None:
    scene.service_writes(b"x")
    scene.reads()
    text = b"y" * (OUTPUT + 1)
    scene.reader.output("r-1", text)
    assert scene.reader.write(scene.file, text) == len(text)
    assert len(scene.runtime_dies()) == len(text)


def test_nothing_to_read_is_said_as_os_read_says_it(scene: Scene) -> None:
    with pytest.raises(BlockingIOError):
        scene.reads()
    scene.service_writes(b"x" * CHUNK)
    assert len(scene.reads()) == CHUNK


def test_killed_before_the_folder_of_the_log_was_made(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"one\n")
    os.close(write_end)
    log = tmp_path / "logs" / "service.log"
    drain = Drain(read_end, str(log))
    drain.empty()
    drain.close()
    assert log.read_bytes() == b"one\n"
    assert drain.dropped == 0


def test_a_second_guardian_finishes_what_the_first_has_read(scene: Scene) -> None:
    scene.service_writes(b"one\n")
    first = scene.guardian_acts()
    assert first.copy.read("r-1", first.fd) == b"one\n"
    scene.service_writes(b"two\n")
    assert scene.runtime_dies() == b"one\ntwo\n"


def test_a_second_guardian_finishes_what_the_first_was_writing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.service_writes(b"one\ntwo\n")
    first = scene.guardian_acts()
    data = first.copy.read("r-1", first.fd)
    write = os.write

    def write_half_and_die(fd: int, data: bytes) -> int:
        write(fd, data[:6])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write_half_and_die)
        with pytest.raises(KeyboardInterrupt):
            first.copy.write(scene.file, data)
    scene.guardian_acts()
    assert scene.runtime_dies() == b"one\ntwo\n"


def test_what_the_runtime_had_in_flight_is_written_by_one_guardian_only(scene: Scene) -> None:
    scene.service_writes(b"one\n")
    scene.reads()
    scene.guardian_acts().pump()
    scene.service_writes(b"two\n")
    assert scene.runtime_dies() == b"one\ntwo\n"


def test_what_a_guardian_held_back_of_a_secret_is_known_to_the_next(scene: Scene) -> None:
    secrets = (("key", b"hunter22"),)
    scene.service_writes(b"a line, key=hunt")
    scene.guardian_acts(secrets).pump()
    assert scene.log.read_bytes() == b"a line, key="
    scene.service_writes(b"er22\nb hun")
    scene.guardian_acts(secrets).pump()
    assert scene.runtime_dies(secrets) == b"a line, key=[secret:key]\nb hun"


def test_what_came_first_and_is_not_written_yet_is_known_to_the_next(scene: Scene) -> None:
    """It could be the end of a secret, of which the runtime has read the beginning."""
    secrets = (("key", b"hunter22"),)
    for data in (b"ab", b"cd"):
        scene.service_writes(data)
        scene.guardian_acts(secrets).pump()
        assert scene.log.read_bytes() == b""
    assert scene.runtime_dies(secrets) == b"abcd"


def test_a_disk_that_hangs_and_comes_back_keeps_the_order(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile the pipe is emptied all the same, by nobody else than who says so."""
    disk, thaw, reached = Disk(), threading.Event(), threading.Event()
    write = os.write

    def hang(fd: int, data: bytes) -> int:
        reached.set()
        thaw.wait()
        return write(fd, data)

    scene.service_writes(b"one\n")
    drain = scene.guardian_acts(disk=disk)
    monkeypatch.setattr("bundlevisor.actors.guardian.inflight.os.write", hang)
    drain.pump()
    assert reached.wait(WITHIN)
    for line in (b"two\n", b"three\n"):
        write(scene.write_end, line)
        drain.pump()
    assert scene.unread() == 0
    thaw.set()
    write(scene.write_end, b"four\n")
    drain.empty()
    drain.close()
    assert disk.finish()
    assert scene.log.read_bytes() == b"one\ntwo\nthree\nfour\n"
