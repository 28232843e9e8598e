"""The migrations of the notes example: SQLite scripts that have run wholly or not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.examples.notes_by_hand import NotesServices, executable, notes_services
from tests.examples.notes_running import copied_notes
from tests.waiting import wait_until

SLOW_SQL = """
CREATE TABLE half_done (number INTEGER);
INSERT INTO half_done
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
    SELECT i FROM n;
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the bundle that a test may change."""
    return copied_notes(tmp_path)


def rows(home: NotesServices, query: str) -> list[Any]:
    with closing(sqlite3.connect(home.database)) as connection:
        return connection.execute(query).fetchall()


def versions(home: NotesServices) -> list[str]:
    return [version for (version,) in rows(home, "SELECT version FROM migrations ORDER BY rowid")]


def test_a_first_installation_runs_every_script_once(home: NotesServices) -> None:
    assert versions(home) == ["1.0.0", "1.1.0"]
    again = home.migrate()
    assert (again.returncode, again.stdout) == (0, "")


def test_an_upgrade_keeps_the_notes_and_has_them_indexed(tmp_path: Path, root: Path) -> None:
    newer = root / "migrations" / "1.1.0-words.sql"
    newer.rename(tmp_path / newer.name)
    with notes_services(tmp_path) as home:
        home.migrate(root)
        with closing(sqlite3.connect(home.database)) as old, old:
            old.execute("INSERT INTO notes (text, created_at) VALUES ('an old note', '2024')")
        (tmp_path / newer.name).rename(newer)
        assert "1.1.0-words.sql done" in home.migrate(root).stdout
        store = home.store()
        home.indexer()
        found = store.ask("GET", "/notes?q=old").content["notes"]
        assert [note["text"] for note in found] == ["an old note"]


def test_a_failing_script_changes_nothing_and_names_itself(home: NotesServices, root: Path) -> None:
    broken = root / "migrations" / "1.2.0-broken.sql"
    broken.write_text("CREATE TABLE half_done (a);\nINSERT INTO nowhere VALUES (1);\n")
    failed = home.migrate(root)
    assert failed.returncode == 1
    assert "1.2.0-broken.sql: no such table: nowhere" in failed.stderr
    assert versions(home) == ["1.0.0", "1.1.0"]
    assert not rows(home, "SELECT * FROM sqlite_master WHERE name = 'half_done'")


def test_a_later_number_runs_later(home: NotesServices, root: Path) -> None:
    for version in ("1.10.0", "1.9.0"):
        (root / "migrations" / f"{version}-x.sql").write_text("SELECT 1;\n")
    assert home.migrate(root).returncode == 0
    assert versions(home)[-2:] == ["1.9.0", "1.10.0"]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_script_killed_in_the_middle_leaves_the_database_as_it_was(
    home: NotesServices, root: Path
) -> None:
    slow = root / "migrations" / "1.2.0-slow.sql"
    slow.write_text(SLOW_SQL)
    process = subprocess.Popen([executable("migrate", root)], env=home.environment())
    wal = Path(f"{home.database}-wal")
    wait_until(lambda: wal.exists() and wal.stat().st_size > 1 << 20, what="a script at work")
    process.kill()
    process.wait()
    assert versions(home) == ["1.0.0", "1.1.0"]
    slow.unlink()
    assert home.migrate(root).returncode == 0
    assert not rows(home, "SELECT * FROM sqlite_master WHERE name = 'half_done'")
