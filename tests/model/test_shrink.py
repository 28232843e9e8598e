"""A failing sequence comes out as small as it can be, as a test that fails in the same way."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.model.case import Case, One, drawn, source
from tests.model.played import play, play_and_shrink
from tests.model.shrink import shrunk

BROKEN = """
import sys

sys.dont_write_bytecode = True  # the file of bytecode is that of the installed command

from bundlevisor.actors.core import desired

as_ever = desired.started

def started(before, report, *, by_name):
    return as_ever(before, report, by_name=True) if by_name else before

desired.started = started

from bundlevisor.control.__main__ import main

sys.exit(main())
"""
"""A runtime in which the start of a service does not start what was stopped and it needs."""

LARGE = Case(
    services=(
        One("s0", (), "always", 2),
        One("s1", ("s0",), "never", 1),
        One("s2", ("s1",), "on_failure", 2),
        One("s3", ("s0", "s2")),
    ),
    steps=(
        ("restart", "s0"),
        ("kill", "s2"),
        ("stop", "s1"),
        ("start", "s3"),
        ("exit 0", "s0"),
    ),
    strategy="rest_for_one",
    intensity=2,
)

LARGER = Case(
    (One("s0"), One("s1", ("s0",)), One("s3", ("s1",))),
    (("kill", "s0"), ("stop", "s1"), ("start", "s3")),
)
"""A step, a service and a need too many: few runs of the command make it the smallest."""

SMALLEST = Case((One("s1"), One("s3", ("s1",))), (("stop", "s1"), ("start", "s3")))
SPACE = {"Path": Path, "Case": Case, "One": One}
"""What a test that is pasted finds."""


def stops_what_a_later_start_needs(case: Case) -> bool:
    """Whether a sequence is one that the broken runtime plays wrongly."""
    needs = {one.id: set(one.needs) for one in case.services}
    for one in case.services:
        needs[one.id] |= {far for near in one.needs for far in needs[near]}
    down: set[str] = set()
    for what, id_ in case.steps:
        if what != "stop" and down & needs[id_]:
            return what in ("start", "restart")
        down = down | {id_} if what == "stop" else down - {id_}
    return False


def test_a_sequence_shrinks_to_what_it_takes() -> None:
    dice = random.Random(1)
    found = [case for _ in range(300) if stops_what_a_later_start_needs(case := drawn(dice))]
    assert found
    for case in found:
        small = shrunk(case, stops_what_a_later_start_needs)
        assert stops_what_a_later_start_needs(small)
        assert [len(one.needs) for one in small.services] == [0, 1]
        assert [what for what, _ in small.steps if what == "stop"] == ["stop"]
        assert len(small.steps) == 2
        assert small._replace(services=(), steps=()) == Case((), ())
        assert {one[2:] for one in small.services} == {("on_failure", 0)}


def test_shrinking_ends_after_so_many_tries() -> None:
    tried: list[Case] = []

    def fails(case: Case) -> bool:
        tried.append(case)
        return len(case.steps) > 3

    assert len(shrunk(LARGE, fails, tries=4).steps) == 4
    assert len(tried) == 4


def test_what_is_told_of_a_sequence_is_that_sequence() -> None:
    played: list[Case] = []
    space = {**SPACE, "play": lambda case, _: played.append(case)}
    exec(source(LARGE), space)
    space["test_found"](Path())  # type: ignore[operator]
    assert played == [LARGE]


@pytest.mark.timeout(600)
def test_a_broken_runtime_is_told_by_the_smallest_sequence(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    command = [sys.executable, str(script)]
    with pytest.raises(AssertionError) as failed:
        play_and_shrink(LARGER, tmp_path, command)
    told = "".join(failed.value.__notes__)
    assert told[told.index("def ") :] == source(SMALLEST)
    pasted = {**SPACE, "play": lambda case, folder: play(case, folder, command)}
    exec(source(SMALLEST), pasted)
    with pytest.raises(AssertionError):
        pasted["test_found"](tmp_path / "pasted")  # type: ignore[operator]
