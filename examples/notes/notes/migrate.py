"""Brings the database to the shape of this version: runs the scripts that it has not had yet.

A script is one transaction with its line in the table ``migrations``: it has run wholly or not at
all, whatever happens in the middle.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from notes.notebook import TIME, connect
from notes.program import progress, say, stop_on_signal

SCRIPTS = Path(__file__).parent.parent / "migrations"


def main() -> None:
    """Run what is missing in the database NOTES_DB; a failing script ends with code 1."""
    stop_on_signal()
    connection = connect(os.environ["NOTES_DB"])
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (version TEXT PRIMARY KEY, applied_at TEXT NOT NULL)"
    )
    had = {row["version"] for row in connection.execute("SELECT version FROM migrations")}
    scripts = sorted(SCRIPTS.glob("*.sql"), key=number)
    missing = [script for script in scripts if version(script) not in had]
    for done, script in enumerate(missing):
        progress(done, len(missing), script.name)
        run(connection, script)
    connection.close()


def run(connection: sqlite3.Connection, script: Path) -> None:
    """Run one script and record it."""
    try:
        connection.executescript("BEGIN IMMEDIATE;\n" + script.read_text(encoding="utf-8"))
        connection.execute(f"INSERT INTO migrations VALUES (?, {TIME})", (version(script),))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise SystemExit(f"migrate: {script.name}: {error}; nothing was changed") from error
    say(f"migrate: {script.name} done")


def version(script: Path) -> str:
    """Return the application's version that a script belongs to: ``1.1.0-words.sql``."""
    return script.name.partition("-")[0]


def number(script: Path) -> list[int]:
    """Return what sorts 1.10.0 behind 1.9.0."""
    return [int(part) for part in version(script).split(".")]
