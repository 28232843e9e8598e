"""The services of the notes example, alone and together, without a runtime."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.examples.notes_by_hand import NotesServices, Service, notes_services
from tests.waiting import WITHIN, wait_until

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


def texts(service: Service, query: str = "") -> list[str]:
    return [note["text"] for note in service.ask("GET", f"/api/notes{query}").content["notes"]]


@POSIX
def test_a_note_is_still_there_after_a_restart(home: NotesServices) -> None:
    store, api = home.store(), home.api()
    kept = api.ask("POST", "/api/notes", {"text": "Grüße an die Weberin"})
    assert kept.status == 201
    assert api.stop() == 0
    assert store.stop() == 0
    home.store()
    assert texts(home.api()) == ["Grüße an die Weberin"]


@POSIX
def test_a_note_survives_a_killed_store(home: NotesServices) -> None:
    store, api = home.store(), home.api()
    api.ask("POST", "/api/notes", {"text": "written before the crash"})
    store.stop(signal.SIGKILL)
    home.store()
    assert texts(api) == ["written before the crash"]


def test_a_removed_note_is_gone_and_cannot_be_removed_twice(home: NotesServices) -> None:
    home.store()
    api = home.api()
    note = api.ask("POST", "/api/notes", {"text": "short-lived"}).content
    assert api.ask("DELETE", f"/api/notes/{note['id']}").status == 204
    assert texts(api) == []
    assert api.ask("DELETE", f"/api/notes/{note['id']}").status == 404


def test_new_notes_are_found_by_the_beginnings_of_their_words(home: NotesServices) -> None:
    home.store()
    api, indexer = home.api(), home.indexer()
    api.ask("POST", "/api/notes", {"text": "The Loom and the cards"})
    api.ask("POST", "/api/notes", {"text": "Bread"})
    wait_until(
        lambda: api.ask("GET", "/api/stats").content == {"notes": 2, "indexed": 2, "words": 5},
        what="both notes indexed",
    )
    assert texts(api, "?q=LOO") == ["The Loom and the cards"]
    assert texts(api, "?q=loop") == []
    wait_until(lambda: "indexed note 2: 1 different" in indexer.log, what="a line of the indexer")


def test_the_words_of_a_removed_note_are_forgotten(home: NotesServices) -> None:
    home.store()
    api = home.api()
    api.ask("POST", "/api/notes", {"text": "some words"})
    home.indexer()
    assert api.ask("GET", "/api/stats").content["words"] == 2
    api.ask("DELETE", "/api/notes/1")
    assert api.ask("GET", "/api/stats").content == {"notes": 0, "indexed": 0, "words": 0}


@POSIX
def test_the_indexer_waits_for_a_lost_store_and_goes_on(home: NotesServices) -> None:
    store, indexer = home.store(), home.indexer()
    store.stop(signal.SIGKILL)
    wait_until(lambda: "does not answer" in indexer.log, what="the indexer misses the store")
    store = home.store()
    store.ask("POST", "/notes", {"text": "again"})
    wait_until(lambda: "indexed note 1" in indexer.log, what="the indexer goes on")


def test_the_api_says_that_the_store_is_away(home: NotesServices) -> None:
    api = home.api()
    answer = api.ask("GET", "/api/notes")
    assert answer.status == 503
    assert "the store does not answer" in answer.content["error"]
    assert api.ask("GET", "/health").status == 200


def test_the_store_speaks_only_with_who_has_the_session_key(home: NotesServices) -> None:
    store = home.store()
    assert store.ask("GET", "/notes", headers={"X-Session-Key": "guessed"}).status == 401
    assert store.ask("GET", "/health", headers={"X-Session-Key": ""}).status == 200
    assert store.ask("GET", "/notes").status == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}]
)
def test_foreign_pages_are_refused(home: NotesServices, headers: dict[str, str]) -> None:
    assert home.api().ask("GET", "/health", headers=headers).status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [({"text": "  "}, 400), ({"text": 5}, 400), (["text"], 400), ({"text": "x" * 10_001}, 413)],
)
def test_what_is_no_note_is_refused(home: NotesServices, body: object, status: int) -> None:
    assert home.api().ask("POST", "/api/notes", body).status == status


def test_unknown_paths_and_methods_are_refused(home: NotesServices) -> None:
    api = home.api()
    assert api.ask("GET", "/api/nothing").status == 404
    refused = api.ask("PUT", "/api/notes", {})
    assert (refused.status, refused.content["error"]) == (405, "/api/notes takes GET or POST")


def test_the_store_stops_by_http_and_closes_its_database(home: NotesServices) -> None:
    store = home.store()
    assert store.ask("POST", "/shutdown", headers={"Origin": "http://127.0.0.1"}).status == 403
    assert store.ask("POST", "/shutdown").status == 202
    assert store.process.wait(WITHIN) == 0
    assert "the database is closed" in store.log
    assert not Path(f"{home.database}-wal").exists()


@POSIX
@pytest.mark.parametrize("name", ["store", "api", "indexer"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_service_stops_cleanly_by_signal(home: NotesServices, name: str, number: int) -> None:
    services = {"store": home.store(), "api": home.api(), "indexer": home.indexer()}
    assert services[name].stop(number) == 0
    assert "stopped" in services[name].log.splitlines()[-1]


def test_a_store_without_its_tables_says_what_to_do(tmp_path: Path) -> None:
    with notes_services(tmp_path) as bare:
        store = bare.start("store", "has bin/migrate been run?")
        assert store.process.wait(WITHIN) == 1
