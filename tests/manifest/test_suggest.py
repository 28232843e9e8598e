"""Near matches."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.suggest import hint, near, quoted


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("dependancies", ["dependencies", "description"], ["dependencies"]),
        ("http", ["htpp"], ["htpp"]),
        ("playwright", ["playwright-driver", "api"], ["playwright-driver"]),
        ("playwright-driver", ["playwright"], ["playwright"]),
        ("API", ["api"], ["api"]),
        ("db", ["dc", "database"], ["dc"]),
        ("x", ["y"], []),
        ("zzz", ["dependencies"], []),
        ("", ["a"], []),
        ("ports", ["ports" + "x" * 76, "port"], ["port"]),
        ("a" * 500, ["a" * 499], []),
        ("port", ["ports", "sport", "prot", "part", "pot"], ["part", "ports", "pot"]),
    ],
)
def test_words_that_resemble_each_other(word: str, known: list[str], answer: list[str]) -> None:
    assert near(word, known) == answer


def test_a_hint_is_a_question_or_nothing() -> None:
    assert hint("servces", ["services"]) == " (did you mean 'services'?)"
    assert hint("one", ["one1", "one2"]) == " (did you mean 'one1' or 'one2'?)"
    assert hint("zebra", ["services"]) == ""


def test_words_are_listed() -> None:
    assert quoted([]) == ""
    assert quoted(["a"]) == "'a'"
    assert quoted(["a", "b", "c"]) == "'a', 'b' and 'c'"
    assert quoted(["a", "b"], "or") == "'a' or 'b'"


@given(st.text("abcdefg", min_size=4, max_size=20), st.integers(0, 19), st.sampled_from("xyz"))
def test_one_wrong_letter_is_always_forgiven(word: str, place: int, letter: str) -> None:
    place %= len(word)
    assert near(word[:place] + letter + word[place + 1 :], [word]) == [word]
    assert near(word[:place] + letter + word[place:], [word]) == [word]
    assert near(word[:place] + word[place + 1 :], [word]) == [word]
