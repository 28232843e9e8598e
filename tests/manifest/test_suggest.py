"""Near matches."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.suggest import COMPARED, NAMED, hint, near, quoted


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
        ("a" * 80, ["a" * 79 + "b", "a" * 80 + "b"], ["a" * 79 + "b"]),
        ("X", ["x"], ["x"]),
        ("zoo", ["abcdefzoo"], ["abcdefzoo"]),
        ("port", ["ports", "sport", "prot", "part", "pot"], ["part", "ports", "pot"]),
    ],
)
def test_words_that_resemble_each_other(word: str, known: list[str], answer: list[str]) -> None:
    assert near(word, known) == answer


@pytest.mark.parametrize("word", ["bacd", "acbd", "abdc", "bacdfe", "abcedf", "abced", "bacdef"])
def test_two_letters_that_changed_places_count_once(word: str) -> None:
    known = "abcdef"[: len(word)]
    assert near(word, [known]) == [known]
    assert near(known, [word]) == [word]


@pytest.mark.parametrize("word", ["cbad", "badc", "bxcd", "axbd", "xbad", "cdab", "dabc", "bacxfe"])
def test_what_else_has_changed_counts_for_each_letter(word: str) -> None:
    assert near(word, ["abcdef"[: len(word)]]) == []


def test_of_a_monstrous_bundle_only_the_first_words_are_compared() -> None:
    known = [f"{number:09}" for number in range(COMPARED)]
    assert near("service", [*known[1:], "services"]) == ["services"]
    assert near("service", [*known, "services"]) == []


def test_a_hint_is_a_question_or_nothing() -> None:
    assert hint("servces", ["services"]) == " (did you mean 'services'?)"
    assert hint("one", ["one1", "one2"]) == " (did you mean 'one1' or 'one2'?)"
    assert hint("zebra", ["services"]) == ""


def test_words_are_listed() -> None:
    assert quoted([]) == ""
    assert quoted(["a"]) == "'a'"
    assert quoted(["a", "b", "c"]) == "'a', 'b' and 'c'"
    assert quoted(["a", "b"], "or") == "'a' or 'b'"
    names = [f"'{number}'" for number in range(NAMED)]
    assert quoted(map(str, range(NAMED))) == f"{', '.join(names[:-1])} and {names[-1]}"
    assert quoted(map(str, range(NAMED + 2))) == f"{', '.join(names)} and 2 more"


@given(st.text("abcdefg", min_size=4, max_size=20), st.integers(0, 19), st.sampled_from("xyz"))
def test_one_wrong_letter_is_always_forgiven(word: str, place: int, letter: str) -> None:
    place %= len(word)
    assert near(word[:place] + letter + word[place + 1 :], [word]) == [word]
    assert near(word[:place] + letter + word[place:], [word]) == [word]
    assert near(word[:place] + word[place + 1 :], [word]) == [word]
