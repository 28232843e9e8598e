"""Upgrades of the notes example by the real runtime, with real SQLite migrations."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Bundle, running
from tests.examples.notes_running import PATH, copied_notes, opened
from tests.waiting import wait_until

ADDS_PINNED = "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;\n"
BREAKS = "CREATE TABLE half_done (a);\nINSERT INTO nowhere VALUES (1);\n"
TAKES_LONG = """
CREATE TABLE half_done (number INTEGER);
INSERT INTO half_done
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
    SELECT i FROM n;
"""
LOSES_ALL = """#!/usr/bin/env python3
import os, sqlite3, sys
connection = sqlite3.connect(os.environ["NOTES_DB"])
connection.execute("DELETE FROM notes")
connection.commit()
sys.exit("out of luck")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example in it, run once, with one note; not to be changed."""
    folder = tmp_path_factory.mktemp("installed")
    copy = Bundle.existing(copied_notes(folder) / "bundle.json", folder)
    with opened(copy) as page:
        page.write("an old note")
    return folder


@pytest.fixture
def notes(installed: Path, tmp_path: Path) -> Bundle:
    """The example and its app-data, each in another place for each test."""
    folder = tmp_path / "moved"
    shutil.copytree(installed, folder, symlinks=True)
    return Bundle.existing(folder / "bundle" / "bundle.json", folder)


def release(bundle: Bundle, version: str, command: str = "bin/migrate") -> None:
    """Make the bundle a newer version with one upgrade migration."""
    bundle.set(app={"name": "Notes", "version": version})
    migrations = bundle.document["services"][0]["migrations"]
    migrations.append({"version": version, "run_on": "upgrade", "command": [command]})
    bundle.write()


def rows(bundle: Bundle, query: str) -> list[Any]:
    with closing(sqlite3.connect(bundle.app_data / "store" / "notes.db")) as connection:
        return connection.execute(query).fetchall()


def fails(bundle: Bundle) -> str:
    """Run the bundle until the store has failed for good; return why."""
    with running(bundle, env={"PATH": PATH}) as run:
        answer = run.ready(wait=30)
        assert not answer["ready"]
        assert answer["details"]["store"]["state"] == "failed"
        assert answer["details"]["api"]["state"] == "waiting"
        return str(answer["details"]["store"]["message"])


def test_a_first_installation_migrates_once(notes: Bundle) -> None:
    log = (notes.app_data / "logs" / "store.log").read_text()
    assert log.count("migrate: 1.0.0-notes.sql done") == 1
    with opened(notes) as page:
        assert page.run.log("store").count("migrate:") == log.count("migrate:")


def test_an_upgrade_runs_its_script_and_keeps_the_notes(notes: Bundle) -> None:
    (notes.root / "migrations" / "1.2.0-pinned.sql").write_text(ADDS_PINNED)
    release(notes, "1.2.0")
    with opened(notes) as page:
        assert page.notes() == ["an old note"]
    assert rows(notes, "SELECT text, pinned FROM notes") == [("an old note", 0)]


def test_a_failed_upgrade_is_told_undone_and_tried_again(notes: Bundle) -> None:
    script = notes.root / "migrations" / "1.2.0-pinned.sql"
    script.write_text(BREAKS)
    release(notes, "1.2.0")
    assert "no such table: nowhere" in fails(notes)
    assert rows(notes, "SELECT text FROM notes") == [("an old note",)]
    script.write_text(ADDS_PINNED)
    with opened(notes) as page:
        assert page.notes() == ["an old note"]
    assert rows(notes, "SELECT pinned FROM notes") == [(0,)]


def test_what_a_failed_upgrade_has_destroyed_is_put_back(notes: Bundle) -> None:
    loser = notes.root / "bin" / "lose"
    loser.write_text(LOSES_ALL)
    loser.chmod(0o755)
    release(notes, "1.2.0", command="bin/lose")
    assert "out of luck" in fails(notes)
    assert rows(notes, "SELECT text FROM notes") == [("an old note",)]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_runtime_killed_in_the_middle_of_an_upgrade_loses_nothing(notes: Bundle) -> None:
    script = notes.root / "migrations" / "1.2.0-slow.sql"
    script.write_text(TAKES_LONG)
    release(notes, "1.2.0")
    wal = notes.app_data / "store" / "notes.db-wal"
    with running(notes, env={"PATH": PATH}) as run:
        wait_until(lambda: wal.exists() and wal.stat().st_size > 1 << 20, what="a script at work")
        run.kill(signal.SIGKILL)
        run.wait_gone()
        wait_until(lambda: not run.leftovers(), deadline=20, what="an end of the migration")
    script.write_text(ADDS_PINNED)
    with opened(notes) as page:
        assert page.notes() == ["an old note"]
    assert rows(notes, "SELECT pinned FROM notes") == [(0,)]
    assert not rows(notes, "SELECT * FROM sqlite_master WHERE name = 'half_done'")
