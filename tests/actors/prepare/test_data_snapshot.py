"""A service's data before an upgrade: copied as a whole or not at all, and put back."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from bundlevisor.actors.prepare import data_snapshot, folder_copy
from bundlevisor.actors.prepare.data_snapshot import DataSnapshots, Taken, TooLarge
from tests.actors.prepare.elsewhere import put_copies_elsewhere

LIMIT = 1 << 20


def data(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "note").write_text("before")
    return folder


def taken(*folders: Path, upgraded: bool = False) -> Taken:
    return Taken(tuple(map(str, folders)), ("1.0.0",), "1.0.0", upgraded)


def test_what_was_changed_after_the_snapshot_is_put_back(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    (folder / "deep" / "note").write_text("after")
    (folder / "new").write_text("half migrated")
    found = snapshots.find("db")
    assert found == taken(folder)
    snapshots.put_back("db", found)
    assert (folder / "deep" / "note").read_text() == "before"
    assert not (folder / "new").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_among_the_data_is_put_back_as_one(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    (folder / "link").symlink_to("deep/note")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    (folder / "link").unlink()
    snapshots.put_back("db", taken(folder))
    assert os.readlink(folder / "link") == "deep/note"


def test_a_database_that_is_written_in_place_does_not_reach_its_copy(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    path = folder / "db.sqlite"
    database = sqlite3.connect(path)
    database.execute("create table note (text)")
    database.commit()
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    database.execute("drop table note")
    database.commit()
    database.close()
    snapshots.put_back("db", taken(folder))
    again = sqlite3.connect(path)
    assert again.execute("select count(*) from note").fetchone() == (0,)
    again.close()


def test_putting_back_can_be_repeated_after_it_was_cut_short(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    os.rename(folder, f"{folder}.broken")
    (tmp_path / "store.restoring").mkdir()
    (tmp_path / "store.restoring" / "torn").write_text("")
    snapshots.put_back("db", taken(folder))
    assert (folder / "deep" / "note").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshots", "store"]


class Killed(BaseException):
    """Nothing is undone after it."""


def test_lines_of_a_log_among_the_data_keep_their_times(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    log = folder / "db.log"
    log.write_text("line 1\n")
    times = folder / "db.log.times"
    times.write_bytes(b"times of line 1.")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    log.rename(folder / "db.log.1")
    times.rename(folder / "db.log.1.times")
    log.write_text("line 2\n")
    times.write_bytes(b"times of line 2.")
    snapshots.put_back("db", taken(folder), [str(log)])
    assert times.read_bytes() == b"times of line 2."
    assert (folder / "db.log.1.times").read_bytes() == b"times of line 1."


@pytest.mark.parametrize("rest", ["", "line 3\n"], ids=["", "the guardian saved a rest"])
@pytest.mark.parametrize("move", range(5))
def test_a_runtime_killed_while_it_puts_back_loses_no_line_of_a_log_among_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: int, rest: str
) -> None:
    folder = data(tmp_path / "store")
    log, older = folder / "logs" / "db.log", folder / "logs" / "db.log.1"
    log.parent.mkdir()
    log.write_text("line 1\n")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    log.rename(older)
    log.write_text("line 2\n")
    moves = iter(range(10))
    replace = os.replace

    def killed(source: str, target: str) -> None:
        if next(moves) == move:
            raise Killed
        replace(source, target)

    monkeypatch.setattr(data_snapshot, "replace", killed)
    with pytest.raises(Killed):
        snapshots.put_back("db", taken(folder), [str(log)])
    if rest:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(rest)
    monkeypatch.undo()
    snapshots.put_back("db", taken(folder), [str(log)])
    assert log.read_text() == f"line 2\n{rest}"
    assert older.read_text() == "line 1\n"
    assert (folder / "deep" / "note").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshots", "store"]


def test_data_over_the_bound_is_not_copied_and_leaves_nothing(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    with pytest.raises(TooLarge, match="over the bound of 3 bytes"):
        snapshots.take("db", taken(folder), 3)
    assert snapshots.find("db") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_pipes_and_sockets_among_the_data_are_left_out(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    os.mkfifo(folder / "pipe")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    snapshots.put_back("db", taken(folder))
    assert not (folder / "pipe").exists()
    assert (folder / "deep" / "note").exists()


def test_a_snapshot_without_its_last_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "snapshots" / "db" / "0").mkdir(parents=True)
    assert DataSnapshots(str(tmp_path)).find("db") is None


@pytest.mark.permissions
@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
def test_a_snapshot_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    """The data may be half migrated, and the next snapshot would be made of that."""
    folder = data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    file = tmp_path / "snapshots" / "db" / "snapshot.json"
    file.chmod(0)
    with pytest.raises(PermissionError):
        snapshots.find("db")
    file.chmod(0o600)
    assert snapshots.find("db") == taken(folder)


def test_it_remembers_that_the_upgrade_came_to_its_end(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    snapshots.upgraded("db")
    assert snapshots.find("db") == taken(folder, upgraded=True)
    snapshots.drop("db")
    snapshots.drop("db")
    assert snapshots.find("db") is None


def test_a_copy_is_on_disk_before_the_snapshot_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may not leave a snapshot whose files are empty: it would be put back."""
    synced: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{fd}"))
        fsync(fd)

    if sys.platform != "linux":
        pytest.skip("descriptors have names on Linux only")
    folder = data(tmp_path / "store")
    monkeypatch.setattr(os, "fsync", note)
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    copy = str(tmp_path / "snapshots" / "db" / "0" / "deep" / "note")
    declared = next(i for i, name in enumerate(synced) if "snapshot.json" in name)
    assert copy in synced[:declared]
    synced.clear()
    put_copies_elsewhere(monkeypatch)
    snapshots.put_back("db", taken(folder))
    assert any(name.endswith("store.restoring/deep/note") for name in synced)


@pytest.mark.skipif(sys.platform == "win32", reason="there no folder is synced")
def test_a_drive_empties_its_own_memory_once_for_a_whole_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F_FULLFSYNC of macOS takes 20 ms each, and empties all of it (fsync(2) there)."""
    from bundlevisor.actors.files import files_posix

    flushed: list[str] = []

    def note(fd: int) -> None:
        found = os.fstat(fd)
        names = [str(path) for path in tmp_path.rglob("*") if os.path.samestat(path.stat(), found)]
        flushed.extend(names)

    monkeypatch.setattr(files_posix, "sync", note)
    monkeypatch.setattr(folder_copy, "sync", note, raising=False)
    source = data(tmp_path / "store")
    folder_copy.copy(str(source), str(tmp_path / "copy"))
    assert flushed == [str(tmp_path / "copy")]


def test_a_copy_that_the_disk_did_not_take_is_no_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written may be refused only when it is synced: a share, a quota, a worn out disk."""

    def refused(fd: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    folder = data(tmp_path / "store")
    snapshots = DataSnapshots(str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refused)
        with pytest.raises(OSError, match=os.strerror(errno.EDQUOT)):
            snapshots.take("db", taken(folder), LIMIT)
    assert snapshots.find("db") is None
    assert not (tmp_path / "snapshots" / "db").exists()


@pytest.mark.permissions
@pytest.mark.skipif(sys.platform == "win32", reason="folders with modes are POSIX'")
def test_read_only_folders_among_the_data_are_put_back_and_their_copy_goes(tmp_path: Path) -> None:
    folder = data(tmp_path / "store")
    (folder / "deep").chmod(0o555)
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    (folder / "new").write_text("half migrated")
    snapshots.put_back("db", taken(folder))
    assert not (folder / "new").exists()
    assert (folder / "deep").stat().st_mode & 0o777 == 0o555
    assert not (tmp_path / "store.broken").exists()
    snapshots.drop("db")
    assert not (tmp_path / "snapshots" / "db").exists()


@pytest.mark.permissions
@pytest.mark.skipif(sys.platform == "win32", reason="folders with modes are POSIX'")
@pytest.mark.parametrize("umask", [0, 0o777], ids=oct)
def test_until_it_is_whole_a_copy_is_for_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    folder = data(tmp_path / "store")
    (folder / "deep" / "note").chmod(0o644)
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken(folder), LIMIT)
    modes: list[int] = []
    copystat = shutil.copystat

    def watched(source: str, target: str, **how: bool) -> None:
        modes.append((tmp_path / "store.restoring").stat().st_mode & 0o777)
        copystat(source, target, **how)

    put_copies_elsewhere(monkeypatch)
    monkeypatch.setattr(shutil, "copystat", watched)
    before = os.umask(umask)
    try:
        snapshots.put_back("db", taken(folder))
    finally:
        os.umask(before)
    assert set(modes) == {0o700}
    assert (folder / "deep" / "note").stat().st_mode & 0o777 == 0o644
