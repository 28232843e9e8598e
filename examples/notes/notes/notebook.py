"""The notes in SQLite. The tables are made by ``migrations/``, which the runtime has run before."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

TIME = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
NOTE = "SELECT id, text, created_at FROM notes"


def connect(path: str) -> sqlite3.Connection:
    """Open the database, in WAL mode: readers and the writer do not wait for each other."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


class Notebook:
    """One connection, used by one thread at a time."""

    def __init__(self, path: str) -> None:
        self._connection = connect(path)
        self._added = threading.Condition()

    def close(self) -> None:
        """Fold the WAL into the database and let it go."""
        with self._added:
            self._connection.close()

    def notes(self, prefix: str = "") -> list[dict[str, Any]]:
        """Return the notes with a word that begins so, or all, newest first."""
        if not prefix:
            return self._rows(f"{NOTE} ORDER BY id DESC LIMIT 500")
        found = "SELECT note_id FROM words WHERE word >= ? AND word < ?"
        bounds = (prefix.casefold(), prefix.casefold() + "\U0010ffff")
        return self._rows(f"{NOTE} WHERE id IN ({found}) ORDER BY id DESC LIMIT 500", *bounds)

    def add(self, text: str) -> dict[str, Any]:
        """Keep a note and return it."""
        with self._added:
            cursor = self._connection.execute(
                f"INSERT INTO notes (text, created_at) VALUES (?, {TIME})", (text,)
            )
            self._added.notify_all()
        return self._rows(f"{NOTE} WHERE id = ?", cursor.lastrowid)[0]

    def remove(self, note_id: int) -> bool:
        """Forget a note and its words; False when there is none."""
        with self._added:
            cursor = self._connection.execute("DELETE FROM notes WHERE id = ?", (note_id,))
            return cursor.rowcount == 1

    def unindexed(self, wait: float) -> list[dict[str, Any]]:
        """Return some notes that are not indexed yet; waits so many seconds for the first."""
        query = f"{NOTE} WHERE NOT indexed ORDER BY id LIMIT 100"
        with self._added:
            self._added.wait_for(lambda: self._rows(query), timeout=wait)
            return self._rows(query)

    def index(self, note_id: int, words: dict[str, int]) -> None:
        """Keep how often each word is in a note; nothing when the note is gone by now."""
        with self._added, self._connection as transaction:
            transaction.execute("BEGIN IMMEDIATE")
            known = transaction.execute(
                "UPDATE notes SET indexed = 1 WHERE id = ?", (note_id,)
            ).rowcount
            if known:
                transaction.executemany(
                    "INSERT OR REPLACE INTO words (note_id, word, count) VALUES (?, ?, ?)",
                    [(note_id, word, count) for word, count in words.items()],
                )

    def stats(self) -> dict[str, int]:
        """Return how many notes there are, how many of them indexed, and their different words."""
        return self._rows(
            "SELECT count(*) AS notes, coalesce(sum(indexed), 0) AS indexed, "
            "(SELECT count(DISTINCT word) FROM words) AS words FROM notes"
        )[0]

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._added:
            return [dict(row) for row in self._connection.execute(query, values)]
