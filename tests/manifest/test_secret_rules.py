"""Secrets: made, judged, waited for."""

from __future__ import annotations

import os
import random
import re
import uuid
from collections.abc import Callable
from typing import Any, Literal

import pytest

from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.format.secret import SecretGenerator
from bundlevisor.manifest.plan.secrets import (
    LONGEST_VARIABLE,
    Rejection,
    generate,
    has_value,
    held_back,
    judge,
    letters,
    missing_generated,
    receivers,
)

ENV = {"type": "env"}


@pytest.mark.parametrize(
    ("charset", "pattern"),
    [
        ("alnum", "[A-Za-z0-9]+"),
        ("alphanumeric", "[A-Za-z0-9]+"),
        ("alpha", "[A-Za-z]+"),
        ("lower", "[a-z]+"),
        ("upper", "[A-Z]+"),
        ("digits", "[0-9]+"),
        ("numeric", "[0-9]+"),
        ("hex", "[0-9a-f]+"),
        ("base64", "[A-Za-z0-9_-]+"),
        ("abc!", "[abc!]+"),
        ("é€", "[é€]+"),
        ("x", "x+"),
    ],
)
def test_a_value_has_the_letters_and_the_length_that_were_asked_for(
    charset: str, pattern: str
) -> None:
    value = generate(SecretGenerator(charset=charset, length=200), os.urandom)
    assert len(value) == 200
    assert re.fullmatch(pattern, value)
    assert set(value) <= set(letters(charset))


def test_without_a_generator_a_value_is_32_letters_and_digits() -> None:
    assert re.fullmatch("[A-Za-z0-9]{32}", generate(None, os.urandom))


def test_two_values_differ() -> None:
    assert generate(None, os.urandom) != generate(None, os.urandom)


def test_every_letter_is_equally_likely() -> None:
    source = random.Random(1)
    value = generate(SecretGenerator(charset="abc", length=4096), source.randbytes)
    assert all(1200 < value.count(letter) < 1530 for letter in "abc")


def test_numbers_at_the_uneven_end_are_thrown_away() -> None:
    drawn = iter([b"\xff\x00", b"\x01"])
    assert generate(SecretGenerator(charset="abc", length=2), lambda _: next(drawn)) == "ab"


def test_large_sets_are_drawn_from_as_a_whole() -> None:
    charset = "".join(chr(0x4E00 + number) for number in range(1000))
    value = generate(SecretGenerator(charset=charset, length=4000), os.urandom)
    assert len(set(value)) > 900
    assert len(value) == 4000


@pytest.mark.parametrize(("letters", "width"), [(1, 1), (256, 1), (257, 2), (513, 2)])
def test_no_more_chance_is_asked_for_than_a_letter_takes(letters: int, width: int) -> None:
    asked: list[int] = []

    def drawn(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    charset = "".join(map(chr, range(0x4E00, 0x4E00 + letters)))
    assert generate(SecretGenerator(charset=charset, length=5), drawn) == charset[0] * 5
    assert asked == [5 * width]


def test_a_uuid_is_one_of_version_4() -> None:
    value = generate(SecretGenerator(type="uuid"), os.urandom)
    assert str(uuid.UUID(value)) == value
    assert uuid.UUID(value).version == 4
    assert uuid.UUID(value).variant == uuid.RFC_4122


def test_a_uuid_has_every_bit_that_was_drawn_but_those_of_its_version() -> None:
    low, high = (bytes(range(first, first + 16)) for first in (0, 0xF0))
    rule = SecretGenerator(type="uuid")
    assert generate(rule, lambda _: low) == "00010203-0405-4607-8809-0a0b0c0d0e0f"
    assert generate(rule, lambda _: high) == "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff"


def secret(id_: str, class_: str = "user_prompt", **more: Any) -> dict[str, Any]:
    return {"id": id_, "class": class_, "target": ENV, **more}


@pytest.fixture
def keys(manifest_of: Callable[..., Manifest]) -> Manifest:
    """A bundle with secrets of all kinds."""
    return manifest_of(
        {"id": "api", "secrets": ["key", "optional"], "dependencies": ["db"]},
        {"id": "db", "secrets": ["made"]},
        {"id": "both", "secrets": ["key", "made", "key"]},
        {"id": "none"},
        secrets=[
            secret("key", format="^sk-[0-9]+$"),
            secret("optional", required=False),
            secret("made", "per_install_generated"),
            {**secret("file"), "target": {"type": "file", "name": "x"}},
        ],
    )


def matches(pattern: str, value: str) -> bool:
    return re.search(pattern, value) is not None


def test_what_is_right_is_accepted(keys: Manifest) -> None:
    assert judge(keys, {"key": "sk-1", "optional": "x", "made": "y", "file": "a\0b"}, matches) == ()


@pytest.mark.parametrize(
    ("id_", "value", "sentence"),
    [
        ("keey", "x", "there is no secret 'keey' (did you mean 'key'?)."),
        ("key", 5, "the value of 'key' must be a string."),
        ("key", None, "the value of 'key' must be a string."),
        ("key", "", "the value of 'key' is empty."),
        ("key", " \n", "the value of 'key' is empty."),
        ("key", "geheim", "the value of 'key' does not have the format ^sk-[0-9]+$."),
        ("optional", "geheim\0", "the value of 'optional' holds a NUL character."),
        ("optional", "geheim" * 20_000, "the value of 'optional' is over 100000 bytes."),
        ("optional", "é" * 50_001, "the value of 'optional' is over 100000 bytes."),
    ],
)
def test_a_refusal_names_the_secret_and_never_the_value(
    keys: Manifest, id_: str, value: object, sentence: str
) -> None:
    assert judge(keys, {id_: value}, matches) == (Rejection(id_, sentence),)


def test_the_longest_value_is_taken(keys: Manifest) -> None:
    assert judge(keys, {"optional": "é" * (LONGEST_VARIABLE // 2)}, matches) == ()


def test_all_refusals_are_told_at_once(keys: Manifest) -> None:
    assert [item.id for item in judge(keys, {"a": "", "key": "x", "optional": "y"}, matches)] == [
        "a",
        "key",
    ]


@pytest.mark.parametrize(
    ("values", "waiting"),
    [
        ({}, {"api": ("key",), "db": ("made",), "both": ("key", "made")}),
        ({"made": "x"}, {"api": ("key",), "both": ("key",)}),
        ({"made": "x", "key": " "}, {"api": ("key",), "both": ("key",)}),
        ({"made": "x", "key": "sk-1"}, {}),
    ],
)
def test_only_those_who_need_a_missing_secret_wait(
    keys: Manifest, values: dict[str, str], waiting: dict[str, tuple[str, ...]]
) -> None:
    assert held_back(keys, values) == waiting


def test_what_is_made_here_is_made_once(keys: Manifest) -> None:
    assert [item.id for item in missing_generated(keys, {})] == ["made"]
    assert missing_generated(keys, {"made": "x"}) == ()


def test_those_who_receive_a_secret_are_known(keys: Manifest) -> None:
    assert receivers(keys, {"made"}) == ("db", "both")
    assert receivers(keys, {"key", "optional"}) == ("api", "both")
    assert receivers(keys, set()) == ()


@pytest.mark.parametrize(
    ("value", "answer"), [("x", True), ("", False), (" \t", False), (" x ", True)]
)
def test_blanks_are_no_value(value: str, answer: Literal[True, False]) -> None:
    assert has_value("a", {"a": value}) is answer
    assert not has_value("b", {"a": value})
