"""What has been run for a user's data is not known: nothing is run on it then, nor put back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, bundle, running
from tests.runtime.test_migrations import (
    NOTES,
    NOTES_ITS_STEP,
    killed_in_an_upgrade,
    migration,
    release,
    run_once,
)

TORN = (b'{"app_version":"1.0.0","appl', b"", b"\0" * 64, b'["of another type"]')


def failed(made: Bundle) -> str:
    """Start it and return why ``db`` has failed."""
    with running(made) as run:
        details = run.ready()["details"]["db"]
        assert details["state"] == "failed"
        return str(details["message"])


@pytest.mark.parametrize("content", TORN)
def test_no_migration_is_run_while_the_record_of_them_is_torn(
    tmp_path: Path, content: bytes
) -> None:
    """Taken for a first install, the data would be made anew."""
    seed = migration("1", "first_install", command=["bin/migrate", "seeded", "0"])
    made = release(bundle(tmp_path), "1.0.0", NOTES_ITS_STEP, seed)
    run_once(made)
    record, note = made.app_data / "migrations.json", made.app_data / "store" / "note"
    whole = record.read_bytes()
    record.write_bytes(content)
    for _start in range(2):
        message = failed(made)
        assert f"{record}: " in message
        assert "not known which migrations have been run" in message
        assert record.read_bytes() == content
    record.write_bytes(whole)
    run_once(made)
    assert note.read_text() == "seeded"


def test_nothing_is_put_back_while_the_record_of_migrations_is_torn(tmp_path: Path) -> None:
    made, note = killed_in_an_upgrade(tmp_path)
    record = made.app_data / "migrations.json"
    whole = record.read_bytes()
    record.write_bytes(TORN[0])
    release(made, "2.0.0", NOTES, migration("2", "upgrade"))
    message = failed(made)
    assert "could not be put back" in message
    assert f"{record}: " in message
    assert note.read_text() == "half"
    record.write_bytes(whole)
    run_once(made)
    assert note.read_text() == "before"


def test_the_note_of_a_copy_that_is_torn_is_not_taken_for_none(tmp_path: Path) -> None:
    """The next copy would be made of what is half upgraded, in the place of the good one."""
    made, note = killed_in_an_upgrade(tmp_path)
    snapshot = made.app_data / "snapshots" / "db" / "snapshot.json"
    whole = snapshot.read_bytes()
    snapshot.write_bytes(whole[:20])
    release(made, "2.0.0", NOTES, migration("2", "upgrade"))
    assert f"{snapshot}: " in failed(made)
    snapshot.write_bytes(whole)
    run_once(made)
    assert note.read_text() == "before"


def test_a_copy_that_was_removed_by_others_does_not_count_as_put_back(tmp_path: Path) -> None:
    made, note = killed_in_an_upgrade(tmp_path)
    copy = made.app_data / "snapshots" / "db" / "0"
    shutil.move(copy, tmp_path / "elsewhere")
    release(made, "2.0.0", NOTES, migration("2", "upgrade"))
    for _start in range(2):
        message = failed(made)
        assert f"{copy}: the copy of " in message
        assert str(copy.parent) in message
        assert note.read_text() == "half"
    shutil.move(tmp_path / "elsewhere", copy)
    run_once(made)
    assert note.read_text() == "before"


def test_who_removes_all_of_a_copy_goes_on_with_the_data_as_it_is(tmp_path: Path) -> None:
    made, note = killed_in_an_upgrade(tmp_path)
    shutil.rmtree(made.app_data / "snapshots" / "db" / "0")
    release(made, "2.0.0", NOTES, migration("2", "upgrade"))
    failed(made)
    shutil.rmtree(made.app_data / "snapshots" / "db")
    run_once(made)
    assert note.read_text() == "half"
    record = json.loads((made.app_data / "migrations.json").read_text())
    assert record["applied"]["db"] == ["2"]
