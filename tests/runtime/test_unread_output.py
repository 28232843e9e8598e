"""Nobody reads what the runtime writes: it starts, works and ends all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import Bundle, bundle, starting, wait_until
from tests.waiting import WITHIN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fills a pipe by O_NONBLOCK")


@contextlib.contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """Yield both ends of a pipe that takes not one more byte."""
    read, write = os.pipe()
    try:
        os.set_blocking(write, False)
        for size in (65536, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(write, b"x" * size)
        os.set_blocking(write, True)
        yield read, write
    finally:
        for end in (read, write):
            os.close(end)


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    return bundle(tmp_path).service("db", restart={"policy": "always", "backoff_ms": 1}).write()


def test_it_starts_works_and_ends(made: Bundle) -> None:
    made.set(**{f"unknown_{number}": 1 for number in range(3000)}).write()
    with full_pipe() as (_, write), starting(made, output=write) as run:
        run.await_files()
        run.until_ready()
        died = run.record("db")[0]["pid"]
        psutil.Process(died).kill()
        wait_until(lambda: run.record("db")[-1]["pid"] != died, what="the service's next run")
        run.until_ready()
        run.post("/shutdown")
        assert run.wait_gone() == 0


def test_who_reads_late_gets_every_line_that_had_room(made: Bundle) -> None:
    with full_pipe() as (read, write), starting(made, output=write) as run:
        run.await_files()
        run.until_ready()
        heard: list[bytes] = []

        def listen() -> None:
            while chunk := os.read(read, 65536):
                heard.append(chunk)
                if b"stopped (SIGTERM" in b"".join(heard[-2:]):
                    return

        reader = threading.Thread(target=listen, daemon=True)
        reader.start()
        wait_until(lambda: b"db is ready" in b"".join(heard), what="what had waited")
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        reader.join(WITHIN)
        text = b"".join(heard)
        assert b'"event":"listening"' in text
        assert b"db is ready" in text
        assert b"missing here" not in text
        assert b"stopped (SIGTERM" in text


def test_a_failed_start_ends_with_its_code(made: Bundle) -> None:
    made.path.write_text("{", encoding="utf-8")
    with full_pipe() as (_, write), starting(made, output=write) as run:
        assert run.wait_gone() == 2
