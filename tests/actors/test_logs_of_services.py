"""The logs of all services, of which each has one whoever asks for it first."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors import context as module
from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.files.time_index import TimeIndex
from bundlevisor.actors.logs.stream import LogStream


def test_a_log_that_two_threads_ask_for_at_once_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its service starts at the moment in which somebody follows it: else he would see nothing."""
    anything: Any = SimpleNamespace(write=None)
    context = ServiceContext(*[anything] * 11)
    spec: Any = SimpleNamespace(service=SimpleNamespace(id="api"), log_path=str(tmp_path / "log"))
    others: list[LogStream] = []

    def in_between(path: str) -> TimeIndex:
        if not others:
            others.append(anything)
            others[:] = [context.log(spec)]  # as another thread does meanwhile
        return TimeIndex(path)

    monkeypatch.setattr(module, "TimeIndex", in_between)
    assert context.log(spec) is others[0] is context.streams["api"]
