"""What the README's first command promises of the notes example, with the real runtime."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import Bundle
from tests.examples.notes_by_hand import NOTES
from tests.examples.notes_running import opened
from tests.waiting import wait_until


@pytest.fixture
def notes(tmp_path: Path) -> Bundle:
    """The example as it is in the repository, with app-data of its own."""
    return Bundle.existing(NOTES / "bundle.json", tmp_path)


def test_a_note_written_through_the_page_is_still_there_after_a_restart(notes: Bundle) -> None:
    with opened(notes) as page:
        page.write("Grüße an die Weberin")
    with opened(notes) as page:
        assert page.notes() == ["Grüße an die Weberin"]


def test_the_page_keeps_its_address_over_a_quick_restart(notes: Bundle) -> None:
    with opened(notes) as page:
        before = page.address
        page.fetch("/")
    with opened(notes) as page:
        assert page.address == before


def test_the_runtime_says_where_the_page_is_and_the_page_is_there(notes: Bundle) -> None:
    with opened(notes) as page:
        wait_until(lambda: page.address in page.run.stderr, what="the page's address in the log")
        assert b"<title>Notes</title>" in page.fetch("/find")  # a client-side route


def test_a_first_start_says_how_far_the_migrations_are(notes: Bundle) -> None:
    with opened(notes) as page:
        told = [line for line in page.run.log("store").splitlines() if line.startswith("::")]
        assert told == ["::progress 0 1.0.0-notes.sql", "::progress 50 1.1.0-words.sql"]
        progress = page.run.get("/readyz").json()["progress"]
        assert progress == {"fraction": 1.0, "done": 4, "total": 4}


def test_a_new_note_is_found_once_the_indexer_has_seen_it(notes: Bundle) -> None:
    with opened(notes) as page:
        page.write("The loom and the cards")
        wait_until(lambda: page.notes("loom"), what="the note found by a word")
        assert page.notes("nothing") == []


def test_the_page_gets_its_notes_again_after_the_api_was_killed(notes: Bundle) -> None:
    with opened(notes) as page:
        page.write("before the crash")
        psutil.Process(page.run.service("api")["pid"]).kill()
        wait_until(lambda: page.run.service("api")["restarts"] == 1, what="a restart of the API")

        wait_until(page.is_answered, what="an answer through the proxy")
        assert page.notes() == ["before the crash"]


def test_the_session_key_is_the_same_at_every_start_and_in_no_log(notes: Bundle) -> None:
    keys = []
    for _ in range(2):
        with opened(notes) as page:
            store = psutil.Process(page.run.service("store")["pid"])
            keys.append(store.environ()["SESSION_KEY"])
            web = psutil.Process(page.run.service("web")["pid"])
            assert "SESSION_KEY" not in web.environ()
            logs = "".join(page.run.log(name) for name in ("store", "api", "indexer", "web"))
            assert keys[0] not in logs + page.run.stderr + json.dumps(page.run.telemetry())
    assert keys[0] == keys[1]


def test_nothing_is_left_when_the_notes_are_closed(notes: Bundle) -> None:
    with opened(notes) as page:
        page.write("nothing is left")
        page.run.post("/shutdown")
        page.run.wait_gone(20)
        wait_until(lambda: not page.run.leftovers(), what="an end of every process")
        assert "the database is closed" in page.run.log("store")
        assert sorted(path.name for path in (notes.app_data / "store").iterdir()) == ["notes.db"]
