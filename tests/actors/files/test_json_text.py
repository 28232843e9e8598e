"""Texts with bytes that are no UTF-8: shown to readers, kept for ourselves, and by one function."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.files.json_text import decode_kept, encode, encode_kept, readable
from bundlevisor.actors.telemetry.event import (
    decode as decode_event,
    encode as encode_event,
    encode_details,
)

ROOT = Path(__file__).parents[3]
ODD = b"/tmp/app\xff/\xc3\xa9".decode("utf-8", "surrogateescape")
PLAIN = {
    "actors/files/json_text.py": "the function itself",
    "actors/secrets/store.py": "values, which came as JSON",
    "actors/ports/remembered.py": "names of the bundle, which is UTF-8",
    "actors/telemetry/timelines.py": "names of the bundle",
    "actors/prepare/migration_record.py": "names of the bundle",
    "control/cli/client.py": "what argv gave is refused there",
    "control/http/health_words.py": "words of our own",
    "control/http/quick_answer.py": "words of our own",
    "control/api/openapi.py": "words of our own",
    "control/http/entrance.py": "letters and digits of our own",
    "control/develop/starter/new_bundle.py": "words of our own",
    "control/develop/starter/python.py": "a program of the user's, as text",
}


class Record(msgspec.Struct):
    path: str
    more: dict[str, list[str]] = {}


def test_readers_see_what_the_byte_was() -> None:
    assert readable(ODD) == "/tmp/app\\xff/é"
    assert readable("\ud83d") == "\\ud83d"
    assert json.loads(encode(Record(ODD, {ODD: [ODD]}))) == {
        "path": readable(ODD),
        "more": {readable(ODD): [readable(ODD)]},
    }


@given(st.text(st.characters(exclude_characters="\0", categories=None)))
def test_what_is_kept_comes_back(text: str) -> None:
    record = Record(text, {"x" + text: [text, ""]})
    assert decode_kept(encode_kept(record), Record) == record
    json.loads(encode(record))


def test_what_is_torn_is_an_error_of_its_own_kind() -> None:
    for data in (b"", b'{"path": "\\u0000zz"}', b'{"path": 1}', b'{"path": "\\u0000"}', b"\xff"):
        with pytest.raises(ValueError, match=r"."):
            decode_kept(data, Record)


def test_an_event_shows_them_in_every_detail() -> None:
    details = encode_details({"folders": (ODD,), "path": ODD, "more": {ODD: object}})
    event = decode_event(encode_event("t", 1, "e", "", details))
    assert event is not None
    assert event.details["folders"] == [readable(ODD)]
    assert event.details["path"] == readable(ODD)


@pytest.mark.parametrize("room", ["actors", "control"])
def test_json_is_written_by_one_function(room: str) -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"json\.encode\b|json\.dumps|json\.Encoder", path.read_text(encoding="utf-8"))
    }
    assert writers - set(PLAIN) - {"actors/telemetry/event.py"} == set()
