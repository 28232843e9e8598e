"""Data is put back while the disk is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bundlevisor.actors.files import atomic
from bundlevisor.actors.prepare import folder_copy
from bundlevisor.actors.prepare.data_snapshot import DataSnapshots
from tests.actors.prepare.elsewhere import put_copies_elsewhere
from tests.actors.prepare.test_data_snapshot import LIMIT, data, taken


def half_upgraded(app_data: Path) -> tuple[Path, DataSnapshots]:
    """Data that an upgrade has changed since its copy was taken."""
    folder = data(app_data / "store")
    snapshots = DataSnapshots(str(app_data))
    snapshots.take("db", taken(folder), LIMIT)
    (folder / "deep" / "note").write_text("after")
    return folder, snapshots


def test_a_disk_that_an_upgrade_has_filled_has_room_to_put_its_data_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, snapshots = half_upgraded(tmp_path)

    def full(source: str, target: str, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    monkeypatch.setattr(folder_copy, "copy", full)
    snapshots.put_back("db", taken(folder))
    assert (folder / "deep" / "note").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshots", "store"]


def test_a_full_disk_keeps_the_data_and_nothing_of_what_was_to_be_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What half a copy takes of the disk would be missing to all others until the next start."""
    folder, snapshots = half_upgraded(tmp_path)
    write_all = atomic.write_all

    def full(fd: int, piece: bytes) -> None:
        write_all(fd, piece[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        put_copies_elsewhere(patched)
        patched.setattr(folder_copy, "_make_and_clone", lambda *_: False)
        patched.setattr(atomic, "write_all", full)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            snapshots.put_back("db", taken(folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshots", "store"]
    assert (folder / "deep" / "note").read_text() == "after"
    snapshots.put_back("db", taken(folder))
    assert (folder / "deep" / "note").read_text() == "before"
