"""The log's thread tells its pipe copy everything, whatever becomes of the bytes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.guardian.inflight import SIZE, Inflight, rescue
from bundlevisor.actors.guardian.shared_memory import shared_memory
from bundlevisor.actors.logs import pipes
from bundlevisor.actors.logs.pipe_copy import READ, Guarded, Plain
from bundlevisor.actors.logs.redact import Redactor
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
from tests.actors.logs.bench import close
from tests.waiting import WITHIN

if TYPE_CHECKING:
    from bundlevisor.actors.logs.pipe_copy import PipeCopy

pytestmark = pytest.mark.skipif(os.name == "nt", reason="one thread for each pipe there")


class Spy(Plain):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def read(self, instance: str, fd: int) -> bytes:
        try:
            data = super().read(instance, fd)
        except BlockingIOError:
            return self._nothing()
        self.calls.append(("read", data))
        return data

    def output(self, instance: str, text: bytes, held: bytes) -> None:
        self.calls.append(("output", (text, held[4:])))

    def write(self, fd: int, data: bytes) -> int:
        self.calls.append(("write", data))
        return super().write(fd, data)

    def done(self) -> None:
        self.calls.append(("done", None))

    def forget(self, instance: str) -> None:
        self.calls.append(("forget", instance))

    def _nothing(self) -> bytes:
        raise BlockingIOError


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop("logs", lambda what, error: None)
    made.start()
    yield made
    made.stop()


def pass_on(
    loop: Loop, path: Path, pipe_copy: PipeCopy, *texts: bytes, secret: bytes = b""
) -> bytes:
    """Send texts through a stream, one after the other, to the end; return the log."""
    stream = LogStream(
        "api", LogFile(str(path), write=pipe_copy.write), loop, lambda _: None, pipe_copy
    )
    read, write = pipes.make()
    redactor = Redactor([("key", secret)]) if secret else None
    stream.attach(read, "r-1", redactor)
    for text in texts:
        os.write(write, text)
        drained = threading.Event()
        stream.drain("r-1", lambda _, drained=drained: drained.set())  # type: ignore[misc]
        assert drained.wait(WITHIN)
    os.close(write)
    close(stream)
    return path.read_bytes()


def test_every_read_is_followed_by_its_write_and_its_end(loop: Loop, tmp_path: Path) -> None:
    spy = Spy()
    pass_on(loop, tmp_path / "log", spy, b"one\n", b"two\n")
    assert spy.calls == [
        *[("read", b"one\n"), ("write", b"one\n"), ("done", None)],
        *[("read", b"two\n"), ("write", b"two\n"), ("done", None)],
        *[("read", b""), ("done", None), ("forget", "r-1")],
    ]


def test_what_a_redactor_holds_back_is_told_before_the_write(loop: Loop, tmp_path: Path) -> None:
    spy = Spy()
    pass_on(loop, tmp_path / "log", spy, b"key=hun", b"ter2", secret=b"hunter22")
    assert [call for call in spy.calls if call[0] != "done"] == [
        *[("read", b"key=hun"), ("output", (b"key=", b"hun")), ("write", b"key=")],
        *[("read", b"ter2"), ("output", (b"", b"hunter2"))],
        *[("read", b""), ("output", (b"[secret:key]", b"")), ("write", b"[secret:key]")],
        ("forget", "r-1"),
    ]


def test_through_the_shared_memory_the_log_is_the_same(loop: Loop, tmp_path: Path) -> None:
    memory = shared_memory("test", SIZE)
    held: list[bytes] = []
    pipe_copy = Inflight(memory, lambda _, state: held.append(state[4:]))
    texts = [b"x" * READ + b"\n", b"key=hun", b"ter22, ", b"hunt"]
    log = pass_on(loop, tmp_path / "log", pipe_copy, *texts, secret=b"hunter22")
    assert log == b"x" * READ + b"\nkey=[secret:key], [secret:key]"
    assert held == [b"hun", b"", b"hunt", b""]
    assert rescue(memory) is None
    os.close(memory)


def test_nothing_is_made_before_the_first_byte(loop: Loop, tmp_path: Path) -> None:
    made: list[PipeCopy] = []

    def make() -> PipeCopy:
        assert loop.inside
        made.append(Plain())
        return made[-1]

    pipe_copy = Guarded(make, lambda _: None)
    pipe_copy.write(os.open(os.devnull, os.O_WRONLY), b"notice\n")
    assert not made
    assert pass_on(loop, tmp_path / "log", pipe_copy, b"one\n", b"two\n") == b"one\ntwo\n"
    assert len(made) == 1


@pytest.mark.parametrize("kind", [OSError, ImportError])
def test_a_copy_that_cannot_be_made_is_reported_and_the_log_is_written(
    loop: Loop, tmp_path: Path, kind: type[Exception]
) -> None:
    """Where there is no descriptor, its modules cannot be loaded either."""

    def make() -> PipeCopy:
        raise kind("Too many open files")

    warnings: list[str] = []
    log = pass_on(loop, tmp_path / "log", Guarded(make, warnings.append), b"one\n", b"two\n")
    assert log == b"one\ntwo\n"
    assert len(warnings) == 1
    assert "Too many open files" in warnings[0]
