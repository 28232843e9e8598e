"""The states in which a log reader can be killed, one by one; test_log_survival kills it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.guardian.drain import Drain
from bundlevisor.actors.guardian.inflight import CHUNK, OUTPUT, Inflight, rescue, shared_memory


class Scene:
    """A pipe, a log, and the memory between a reader and its guardian."""

    def __init__(self, log: Path) -> None:
        self.memory = shared_memory()
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
        drain = Drain(os.dup(self.read_end), str(self.log), secrets)
        rescued = rescue(self.memory)
        if rescued:
            assert rescued.instance == "r-1"
            drain.rescue(rescued)
        drain.empty()
        drain.close()
        return self.log.read_bytes()

    def close(self) -> None:
        for fd in (self.memory, self.read_end, self.write_end, self.file):
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
