"""Copying a service's data takes its time: what is going on is said, and a stop ends it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bundlevisor.actors.prepare import folder_copy
from bundlevisor.actors.prepare.cancelled import Cancelled
from bundlevisor.actors.prepare.data_snapshot import DataSnapshots, Taken
from bundlevisor.testing import faults
from tests import absent
from tests.actors.prepare.elsewhere import put_copies_elsewhere
from tests.bundle_maker import Bundle, bundle, running, wait_until

LIMIT = 1 << 20
FILES = 300


def store(folder: Path) -> Path:
    folder.mkdir()
    for name in ("note", "other"):
        (folder / name).write_text("before")
    return folder


def test_a_copy_that_nobody_wants_any_more_is_cut_short_and_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store(tmp_path / "store")
    taken = Taken((str(folder),), (), "1.0.0")
    snapshots = DataSnapshots(str(tmp_path))
    for asked in range(4):  # before each file is copied, and before it is synced
        answers = [False, *[True] * asked]
        with pytest.raises(Cancelled):
            snapshots.take("db", taken, LIMIT, wanted=answers.pop)
        assert snapshots.find("db") is None
    snapshots.take("db", taken, LIMIT)
    (folder / "other").write_text("after")
    with monkeypatch.context() as patched:
        put_copies_elsewhere(patched)
        with pytest.raises(Cancelled):
            snapshots.put_back("db", taken, wanted=lambda: False)
    assert (folder / "other").read_text() == "after"
    snapshots.put_back("db", taken)
    assert (folder / "other").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshots", "store"]


def test_a_large_file_is_cut_short_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_: str, target: str) -> bool:
        Path(target).touch()
        return False

    monkeypatch.setattr(folder_copy, "_make_and_clone", make)
    monkeypatch.setattr(folder_copy, "PIECE", 10)
    monkeypatch.setattr(folder_copy, "SYNC_EVERY", 2)
    folder, copied = tmp_path / "store", tmp_path / "copy"
    folder.mkdir()
    (folder / "db").write_bytes(bytes(range(100)))
    answers = [False, *[True] * 5]
    with pytest.raises(Cancelled):
        folder_copy.copy(str(folder), str(copied), wanted=answers.pop)
    assert (copied / "db").read_bytes() == bytes(range(40))
    (copied / "db").unlink()
    folder_copy.copy(str(folder), str(copied))
    assert (copied / "db").read_bytes() == bytes(range(100))


def test_what_a_copy_has_left_goes_though_the_app_went_back_to_a_version_without_migrations(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path)
    release(made, "1.0.0")
    left = made.app_data / "snapshots" / "db"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: not left.exists(), what="the half copy is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
def test_a_stop_ends_a_copy_that_would_take_minutes(tmp_path: Path) -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        absent.skip("a C compiler")
    made = bundle(tmp_path).script("bin/migrate", "print('migrated')")
    release(made, "1.0.0")
    with running(made) as run:
        run.until_ready()
        wait_until((run.app_data / "migrations.json").exists, what="the version is written down")
    for number in range(FILES):
        (made.app_data / "store" / str(number)).write_text("before")
    release(made, "2.0.0", {"version": "2", "command": ["bin/migrate"], "run_on": "upgrade"})
    with running(made, env={**os.environ, **faults.slow_sync(500)}) as run:
        wait_until(
            lambda: run.service("db")["message"] == "its data is copied before the upgrade",
            what="the copy",
        )
        assert run.post("/services/db/stop?wait=60").json()["state"] == "stopped"
        assert "migrated" not in (run.app_data / "logs" / "db.log").read_text()
        assert not (run.app_data / "snapshots" / "db" / "snapshot.json").exists()
        run.post("/shutdown")
        assert run.wait_gone() == 0


def release(made: Bundle, version: str, *migrations: dict[str, object]) -> None:
    made.set(app={**made.document["app"], "version": version})
    stop = {"timeout_ms": 100_000}
    made.service("db", data_dirs=["store"], migrations=list(migrations), stop=stop).write()
