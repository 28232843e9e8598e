"""The runtime is killed at each step of putting data back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.prepare import data_snapshot, folder_copy
from bundlevisor.actors.prepare.data_snapshot import DataSnapshots
from tests.actors.prepare.test_data_snapshot import LIMIT, Killed, data, taken


@pytest.mark.parametrize("step", range(10))
def test_a_folder_that_the_upgrade_removed_comes_back_whenever_the_runtime_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Nothing was in its place that could be kept, to say that its copy has been moved."""
    gone, folder = data(tmp_path / "gone"), data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(gone, folder), LIMIT)
    shutil.rmtree(gone)
    (folder / "deep" / "note").write_text("after")
    steps = iter(range(20))

    def killed_before(do: Callable[..., None]) -> Any:
        def wrapped(*arguments: str) -> None:
            if next(steps) == step:
                raise Killed
            do(*arguments)

        return wrapped

    with monkeypatch.context() as patched:
        patched.setattr(data_snapshot, "replace", killed_before(os.replace))
        patched.setattr(folder_copy, "remove", killed_before(folder_copy.remove))
        with pytest.raises(Killed):
            snapshots.put_back("db", taken(gone, folder))
    snapshots.put_back("db", taken(gone, folder))
    for one in (gone, folder):
        assert (one / "deep" / "note").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gone", "snapshots", "store"]
