"""What secrets were before is remembered in the order of its age, and within bounds."""

from __future__ import annotations

import itertools

from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.actors.secrets.former_values import FORMER, FORMER_LENGTH, FormerValues


def replaced(*values: str) -> FormerValues:
    """Return what is remembered after a secret has had these values, the last one now."""
    former = FormerValues()
    for before, after in itertools.pairwise(values):
        former.replace({"key": before}, {"key": after})
    return former


def of_key(former: FormerValues) -> list[str]:
    return [values["key"] for values in former.of(["key"])]


def test_the_latest_is_the_first_and_none_is_there_before_a_change() -> None:
    assert replaced("only").of(["key"]) == ()
    assert of_key(replaced("one", "two", "three")) == ["two", "one"]


def test_a_value_stands_once_and_never_beside_itself_as_the_present_one() -> None:
    assert of_key(replaced("one", "two", "one", "three")) == ["one", "two"]
    assert of_key(replaced("one", "two", "one")) == ["two"]
    assert of_key(replaced("same", "same")) == []


def test_a_secret_that_had_no_value_has_none_to_remember() -> None:
    former = FormerValues()
    former.replace({}, {"key": "first"})
    assert former.of(["key"]) == ()
    former.replace({"key": ""}, {"key": "second"})
    assert former.of(["key"]) == ()


def test_who_asks_learns_of_the_secrets_that_he_names_by_generations() -> None:
    former = FormerValues()
    former.replace({"a": "a1", "b": "b1"}, {"a": "a2"})
    former.replace({"a": "a2", "b": "b1"}, {"a": "a3", "b": "b2"})
    assert former.of(["a", "b"]) == ({"a": "a2", "b": "b1"}, {"a": "a1"})
    assert former.of(["b", "b", "unknown"]) == ({"b": "b1"},)
    assert former.of(["unknown"]) == former.of([]) == ()


def test_no_text_of_them_shows_a_value() -> None:
    (values,) = replaced("hidden", "now").of(["key"])
    assert type(values) is Concealed
    assert "hidden" not in repr(values)


def test_so_many_are_remembered_and_not_one_more() -> None:
    values = [str(number) for number in range(FORMER + 2)]
    assert of_key(replaced(*values[:-1])) == values[-3::-1]
    assert len(of_key(replaced(*values[:-1]))) == FORMER
    assert of_key(replaced(*values)) == values[-2:0:-1]


def test_the_oldest_go_when_they_are_long_together() -> None:
    half = FORMER_LENGTH // 2
    first, second = "a" * half, "b" * half
    assert of_key(replaced(first, second, "now")) == [second, first]
    assert of_key(replaced(first + "a", second, "now")) == [second]
    assert of_key(replaced("a" * FORMER_LENGTH, "now")) == ["a" * FORMER_LENGTH]
    assert of_key(replaced("a" * (FORMER_LENGTH + 1), "now")) == []
