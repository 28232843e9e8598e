"""The indexer: counts the words of new notes and gives them to the store, which finds by them."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

from notes import session
from notes.program import progress, say, stop_on_signal
from notes.store_client import StoreAway, ask

WAIT_S = 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 3.0


def main() -> None:
    """Index until SIGTERM; says once that the index is up to date, and waits for a lost store."""
    stop_on_signal()
    session.key()
    say("indexer: looking for notes without an index")
    try:
        catch_up()
        say("indexer: the index is up to date")
        while True:
            catch_up(WAIT_S)
    finally:
        say("indexer: stopped")


def catch_up(wait: int = 0) -> None:
    """Index every note that is not; waits so many seconds for the first one."""
    while notes := asked("GET", f"/unindexed?wait={wait}")["notes"]:
        for done, note in enumerate(notes):
            if not wait:
                progress(done, len(notes), f"counting the words of note {note['id']}")
            counted = words(note["text"])
            asked("PUT", f"/notes/{note['id']}/words", counted)
            say(f"indexed note {note['id']}: {len(counted)} different words")


def words(text: str) -> dict[str, int]:
    """Return how often each word is in a text, upper and lower case taken together."""
    return Counter(re.findall(r"\w+", text.casefold()))


def asked(method: str, path: str, body: Any = None) -> Any:
    """Ask the store, again and again while it is away."""
    pause = FIRST_PAUSE_S
    while True:
        try:
            reply = ask(method, path, body, timeout=WAIT_S + 10)
            break
        except StoreAway as away:
            say(f"{away}; asking again in {pause:.1f} s")
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
    if reply.status >= 400:
        raise SystemExit(f"indexer: {method} {path}: {reply.status} {reply.content}")
    return reply.content
