"""Variables that say yes or no, as Go's strconv.ParseBool takes them; what is neither is told."""

from __future__ import annotations

import pytest

from bundlevisor.manifest.format.flag import parse_bool, read_flag, unclear


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, None),
        ({"X": ""}, None),
        ({"X": "  "}, None),
        ({"X": "1"}, True),
        ({"X": "t"}, True),
        ({"X": " TRUE "}, True),
        ({"X": "0"}, False),
        ({"X": "F"}, False),
        ({"X": "false"}, False),
    ],
)
def test_a_yes_a_no_or_nothing(environ: dict[str, str], said: bool | None) -> None:
    assert read_flag(environ, "X") is said
    assert unclear(environ, "X") == ""


@pytest.mark.parametrize("word", ["1", "t", "T", "true", "TRUE", "True", "tRue"])
def test_a_word_says_yes(word: str) -> None:
    assert parse_bool(word) is True


@pytest.mark.parametrize("word", ["0", "f", "F", "false", "FALSE", "False", "fAlse"])
def test_a_word_says_no(word: str) -> None:
    assert parse_bool(word) is False


@pytest.mark.parametrize("word", ["", "yes", "on", "tr", "2", " 1"])
def test_any_other_word_says_neither(word: str) -> None:
    assert parse_bool(word) is None


def test_what_is_neither_says_nothing_and_is_told_in_part() -> None:
    environ = {"X": "y" * 41}
    assert read_flag(environ, "X") is None
    said = f"X is '{'y' * 40}', neither a yes (1, t, true) nor a no (0, f, false)"
    assert unclear(environ, "X") == said
