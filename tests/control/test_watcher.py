"""The watcher's rounds: what it does when a look fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from bundlevisor.actors.core.snapshot import Phase, Snapshot
from bundlevisor.control.watch import watcher
from bundlevisor.control.watch.watcher import Watcher


class Watched:
    """A bundle without a service, in one phase after the other."""

    specs: ClassVar[dict[str, Any]] = {}
    app_data = "/nowhere"
    info = print

    def __init__(self, manifest: str, phases: Iterator[Phase]) -> None:
        self.bundle = (manifest,)
        self.board = self
        self._phases = phases

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(version=1, phase=next(self._phases), services={})


def test_the_watcher_acts_on_nothing_that_it_cannot_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a"
    file.touch()
    acted: list[tuple[str, ...]] = []
    with monkeypatch.context() as failing:

        def fail(path: str) -> None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)

        def phases() -> Iterator[Phase]:
            yield Phase.RUNNING  # all is as it was
            failing.setattr(os, "stat", fail)
            yield from [Phase.RUNNING] * 4
            failing.undo()
            assert acted == []
            file.unlink()
            while not acted:
                yield Phase.RUNNING
            yield Phase.STOPPING

        monkeypatch.setattr(watcher, "PAUSE", 0.0)
        monkeypatch.setattr(Watcher, "_act", lambda _, files: acted.append(files))
        Watcher(cast("watcher.Subject", Watched(str(file), phases())))._watch()
    assert acted == [(str(file),)]
