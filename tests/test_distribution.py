"""The order in which processes of pytest-xdist are given the tests."""

from __future__ import annotations

from pathlib import Path

from tests.distribution import LONG, arranged

GROUPS = [str.isupper, str.isdigit, lambda word: word == "!"]


def test_each_part_begins_with_groups_of_its_own() -> None:
    assert "".join(arranged("aBc1d2Efghij", GROUPS, 2)) == "BEacdf" + "12ghij"


def test_with_more_groups_than_parts_the_first_have_two() -> None:
    assert "".join(arranged("a!Bc1d2E", GROUPS, 2)) == "!BEa" + "12cd"


def test_a_group_longer_than_its_part_is_all_in_one_place() -> None:
    assert "".join(arranged("aBCDEF1b", GROUPS, 2)) == "BCDEF" + "1ab"


def test_no_test_is_lost_and_each_keeps_its_place_among_its_like() -> None:
    words = [str(n) if n % 3 else f"x{n}" for n in range(100)]
    for count in (1, 2, 3, 7, 200):
        out = arranged(words, GROUPS, count)
        assert sorted(out) == sorted(words)
        for is_of in (str.isdigit, lambda word: not word.isdigit()):
            assert list(filter(is_of, out)) == list(filter(is_of, words))


def test_the_folders_are_there() -> None:
    tests = Path(__file__).parent
    assert [name for name in LONG if not list((tests / name).glob("test_*.py"))] == []
