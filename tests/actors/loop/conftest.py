"""A loop that turns, and what it reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bundlevisor.actors.loop.reactor import Loop
from tests.actors.loop.on_loop import PATIENCE, Reports


@pytest.fixture
def reports() -> Reports:
    return []


@pytest.fixture
def loop(reports: Reports) -> Iterator[Loop]:
    running = Loop("test", lambda what, error: reports.append((what, error)))
    running.start()
    yield running
    assert running.stop(PATIENCE)
