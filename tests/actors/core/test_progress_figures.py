"""The figures of a start's progress, at the ends of each rule."""

from __future__ import annotations

import pytest

from bundlevisor.actors.core.progress import Known, Progress, Work
from bundlevisor.actors.core.report import Doing
from bundlevisor.actors.core.snapshot import ServiceView, State
from tests.actors.core.test_progress import progress, ready, starting, view


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        (Doing(), ""),
        (Doing(text="index"), "index"),
        (Doing(text="index", fraction=0.256), "index (26%)"),
        (Doing(fraction=0.0), "0%"),
    ],
)
def test_what_is_done_and_how_much_of_it_in_words(doing: Doing, words: str) -> None:
    assert doing.words == words


def test_a_picture_of_a_start_is_whole() -> None:
    known = Known({"db": (), "web": ("db",)}, {"db": 8.0, "web": 4.0})
    found = progress(
        view("web", message="waiting: for db", waiting_for=("db",)),
        starting("db", 2.50049, message="starting: waits for port 1"),
        ready("cache"),
        view("extra", State.INACTIVE, on_demand=True),
        known=known,
    )
    assert found.working_on == (
        Work(
            service="db",
            phase="probing",
            text="waits for port 1",
            elapsed_s=2.5,
            usual_s=8.0,
            remaining_s=5.5,
        ),
        Work(
            service="web",
            phase="dependencies",
            text="for db",
            elapsed_s=0.0,
            usual_s=4.0,
            remaining_s=4.0,
        ),
    )
    assert found == Progress(
        fraction=0.472,
        done=1,
        total=3,
        working_on=found.working_on,
        remaining_s=9.5,
        slowest="db",
    )


@pytest.mark.parametrize(
    ("usual", "fraction"),
    [
        ({}, 0.5),
        ({"other": 3.0}, 0.5),
        ({"a": 3.0}, 0.5),
        ({"a": 9.0, "x": 1.0, "y": 3.0}, 0.75),
        ({"a": 9.0, "x": 1.0}, 0.643),
        ({"a": 0.03, "b": 0.0}, 0.75),
        ({"a": 1e9, "b": 1.0}, 0.999),
        ({"a": 1.0, "b": 2.0}, 0.333),
    ],
)
def test_what_is_ready_weighs_its_usual_time_or_else_the_median_of_all(
    usual: dict[str, float], fraction: float
) -> None:
    assert progress(ready("a"), view("b", State.FAILED), known=Known(usual=usual)).fraction == (
        fraction
    )


@pytest.mark.parametrize(
    ("one", "usual", "fraction"),
    [
        (starting("a", 1.0), {}, 0.475),
        (starting("a", 3.0), {}, 0.712),
        (starting("a", 1.0), {"other": 7.0}, 0.119),
        (starting("a", 1.0), {"a": 4.0}, 0.25),
        (starting("a", 3.9), {"a": 4.0}, 0.95),
        (starting("a", 1e6), {"a": 4.0}, 0.95),
        (starting("a", 1.0, doing=Doing(fraction=0.0)), {"a": 4.0}, 0.0),
        (starting("a", 1.0, doing=Doing(fraction=0.96)), {"a": 4.0}, 0.95),
        (starting("a", 1.0, pid=None, doing=Doing("assets", "", 0.9)), {"a": 4.0}, 0.25),
        (view("a", kept_down=True), {"a": 4.0}, 0.0),
        (view("a", State.STOPPED), {"a": 4.0}, 0.0),
    ],
)
def test_what_is_on_its_way_counts_for_its_words_or_else_for_its_time(
    one: ServiceView, usual: dict[str, float], fraction: float
) -> None:
    assert progress(one, known=Known(usual=usual)).fraction == fraction


@pytest.mark.parametrize(
    ("one", "usual", "left"),
    [
        (starting("a", 4.0), 10.0, 6.0),
        (starting("a", 10.5), 10.0, 0.0),
        (starting("a", 15.0), 10.0, 0.0),
        (starting("a", 15.25), 10.0, None),
        (starting("a", 2.0), 1.0, 0.0),
        (starting("a", 2.25), 1.0, None),
        (starting("a", 4.0), None, None),
        (starting("a", 2.0, doing=Doing(fraction=0.05)), 10.0, 38.0),
        (starting("a", 2.0, doing=Doing(fraction=0.04)), 10.0, 8.0),
        (starting("a", 0.0, doing=Doing(fraction=0.5)), 10.0, 10.0),
        (starting("a", 1.0, doing=Doing(fraction=0.3)), None, 2.333),
        (starting("a", 2.0, pid=None, doing=Doing("migration", "", 0.5)), 10.0, 8.0),
        (view("a", waiting_for=("token",)), 10.0, None),
        (view("a"), 10.0, 10.0),
        (view("a", State.BACKOFF, begun_at=1.0), 10.0, 10.0),
    ],
)
def test_what_remains_follows_from_its_words_or_else_from_its_usual_time(
    one: ServiceView, usual: float | None, left: float | None
) -> None:
    found = progress(one, known=Known(usual={} if usual is None else {"a": usual}))
    assert [work.remaining_s for work in found.working_on] == [left]
    assert found.remaining_s == left


def test_a_chain_leads_through_what_is_ready_or_skipped_and_what_is_not_known_breaks_it() -> None:
    known = Known({"db": (), "mail": (), "api": ("db", "mail")}, {"db": 4.0, "api": 3.0})
    assert progress(ready("db"), view("api"), known=known).remaining_s == 3.0
    skipped = view("mail", State.INACTIVE, on_demand=True)
    assert progress(skipped, starting("db", 1.0), view("api"), known=known).remaining_s == 6.0
    tenths = Known({"db": (), "api": ("db",)}, {"db": 0.1, "api": 0.2})
    assert progress(view("db"), view("api"), known=tenths).remaining_s == 0.3
    unknown = view("mail")
    assert progress(unknown, ready("db"), view("api"), known=known).remaining_s is None


def test_the_last_line_is_asked_of_the_slowest_and_an_empty_one_is_none() -> None:
    asked: list[str] = []

    def last_line(one: ServiceView) -> str:
        asked.append(one.id)
        return ""

    found = progress(starting("a", 1.0), starting("b", 2.0), last_line=last_line)
    assert (found.slowest, found.last_line, asked) == ("b", None, ["b"])
    assert progress(starting("a", 1.0)).last_line is None
    assert progress(view("a", State.FAILED)).last_line is None
