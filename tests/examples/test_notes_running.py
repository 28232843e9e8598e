"""What the README's first command promises of the notes example, with the real runtime."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import psutil
import pytest

from tests.bundle_maker import PORT_RANGE, Bundle
from tests.examples.notes_running import Page, copied_notes, opened
from tests.waiting import wait_until

OLD_NOTE = "Grüße an die Weberin"


class First(NamedTuple):
    """What was to be seen of the first start with an empty app-data."""

    address: str
    key: str
    store_log: str
    progress: dict[str, Any]
    left: list[psutil.Process]
    """Processes, once it had been stopped."""
    files: list[str]
    """Of the store, once it had been stopped."""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[First, Page]]:
    """The example, stopped after a first start, and started again; with ports of this process.

    Else another one could take those of the first start before the second.
    """
    folder = tmp_path_factory.mktemp("notes")
    notes = Bundle.existing(copied_notes(folder) / "bundle.json", folder)
    for service in notes.document["services"]:
        for port in service.get("ports", {}).get("requested", ()):
            port["range"] = PORT_RANGE
    notes.write()
    with opened(notes) as page:
        page.write(OLD_NOTE)
        progress = page.run.get("/readyz").json()["progress"]
        seen = page.address, session_key(page)
        page.run.post("/shutdown")
        page.run.wait_gone(20)
        left = page.run.leftovers()
        files = sorted(path.name for path in (notes.app_data / "store").iterdir())
        first = First(*seen, page.run.log("store"), progress, left, files)
    with opened(notes) as page:
        yield first, page


@pytest.fixture
def first(twice: tuple[First, Page]) -> First:
    return twice[0]


@pytest.fixture
def page(twice: tuple[First, Page]) -> Page:
    """The page of the second start."""
    return twice[1]


def session_key(page: Page) -> str:
    store = psutil.Process(page.run.service("store")["pid"])
    return store.environ()["SESSION_KEY"]


def test_a_note_written_through_the_page_is_still_there_after_a_restart(page: Page) -> None:
    assert OLD_NOTE in page.notes()


def test_the_page_keeps_its_address_over_a_quick_restart(first: First, page: Page) -> None:
    assert page.address == first.address


def test_the_runtime_says_where_the_page_is_and_the_page_is_there(page: Page) -> None:
    wait_until(lambda: page.address in page.run.stderr, what="the page's address in the log")
    assert b"<title>Notes</title>" in page.fetch("/find")  # a client-side route


def test_a_first_start_says_how_far_the_migrations_are(first: First) -> None:
    told = [line for line in first.store_log.splitlines() if line.startswith("::")]
    assert told == ["::progress 0 1.0.0-notes.sql", "::progress 50 1.1.0-words.sql"]
    assert first.progress == {"fraction": 1.0, "done": 4, "total": 4}


def test_a_new_note_is_found_once_the_indexer_has_seen_it(page: Page) -> None:
    page.write("The loom and the cards")
    wait_until(lambda: page.notes("loom"), what="the note found by a word")
    assert page.notes("nothing") == []


def test_the_page_gets_its_notes_again_after_the_api_was_killed(page: Page) -> None:
    page.write("before the crash")
    psutil.Process(page.run.service("api")["pid"]).kill()
    wait_until(lambda: page.run.service("api")["restarts"] == 1, what="a restart of the API")

    wait_until(page.is_answered, what="an answer through the proxy")
    assert "before the crash" in page.notes()


def test_the_session_key_is_the_same_at_every_start_and_in_no_log(first: First, page: Page) -> None:
    assert session_key(page) == first.key
    web = psutil.Process(page.run.service("web")["pid"])
    assert "SESSION_KEY" not in web.environ()
    logs = "".join(page.run.log(name) for name in ("store", "api", "indexer", "web"))
    assert first.key not in first.store_log + logs + page.run.stderr
    assert first.key not in json.dumps(page.run.telemetry())


def test_nothing_is_left_when_the_notes_are_closed(first: First) -> None:
    assert first.left == []
    assert "the database is closed" in first.store_log
    assert first.files == ["notes.db"]
