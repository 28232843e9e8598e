"""Data folders of which one lies in another: an upgrade's copy is made of the outer one alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle_maker import bundle, running
from tests.runtime.test_migrations import NOTES, RUINS_AND_FAILS, migration, release, run_once


@pytest.mark.parametrize("data_dirs", [["store/db", "store"], ["store", "store/db", "store"]])
def test_they_are_copied_and_put_back_once(tmp_path: Path, data_dirs: list[str]) -> None:
    """Put back one by one, neither would be found again if that was cut short between them."""
    made = release(bundle(tmp_path), "1.0.0", NOTES)
    run_once(made.service("db", data_dirs=data_dirs).write())
    outer, inner = made.app_data / "store", made.app_data / "store" / "db"
    (outer / "note").write_text("before")
    (inner / "note").write_text("before")
    release(made, "2.0.0", RUINS_AND_FAILS.format(place="store/db"))
    made.service("db", data_dirs=data_dirs, migrations=[migration("2", "upgrade")]).write()
    with running(made) as run:
        assert run.ready()["details"]["db"]["state"] == "failed"
        taken = run.await_told("migration_snapshot_taken", "db")[0]
        assert taken["folders"] == [str(outer)]
        run.await_told("migration_rolled_back", "db")
    assert (inner / "note").read_text() == (outer / "note").read_text() == "before"
