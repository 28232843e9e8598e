"""A service's data before an upgrade, in app-data that lies elsewhere by now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bundlevisor.actors.prepare.data_snapshot import DataSnapshots, Taken

LIMIT = 1 << 20


def data(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "note").write_text("before")
    return folder


def taken(folder: Path, app_data: str) -> Taken:
    return Taken((str(folder),), ("1.0.0",), "1.0.0", app_data=app_data)


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "copied"])
def test_in_another_place_it_tells_of_the_folders_there(tmp_path: Path, moved: bool) -> None:
    """What was copied stays as it is in the first place, where it may be in use."""
    first, other = tmp_path / "first", tmp_path / "other"
    folder = data(first / "store")
    DataSnapshots(str(first)).take("db", taken(folder, str(first)), LIMIT)
    (folder / "note").write_text("after")
    (shutil.move if moved else shutil.copytree)(first, other)
    snapshots = DataSnapshots(str(other))
    found = snapshots.find("db")
    assert found == taken(other / "store", str(other))
    snapshots.put_back("db", found)
    assert (other / "store" / "note").read_text() == "before"
    assert first.exists() is not moved
    assert moved or (folder / "note").read_text() == "after"


@pytest.mark.parametrize("app_data", ["", "first", "first/store/below"])
def test_what_tells_of_folders_elsewhere_is_refused(tmp_path: Path, app_data: str) -> None:
    """Of 0.2.0, which did not say where it was taken; or somebody has written it."""
    folder = data(tmp_path / "first" / "store")
    if app_data == "first":
        folder = tmp_path / "first" / ".." / "first" / "store"
    made = taken(folder, app_data and str(tmp_path / app_data))
    DataSnapshots(str(tmp_path / "first")).take("db", made, LIMIT)
    shutil.copytree(tmp_path / "first", tmp_path / "other")
    with pytest.raises(OSError, match="not in this app-data folder, so it is not known"):
        DataSnapshots(str(tmp_path / "other")).find("db")
