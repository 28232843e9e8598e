"""A log's stream on a loop of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.loop.reactor import Loop
from tests.actors.logs.bench import (
    PATIENCE,
    Bench,
)


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


@pytest.fixture
def bench(loop: Loop, tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "logs" / "api.log"
    made = Bench(loop, path, LogFile(str(path)))
    yield made
    made.stop()
