from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.stop_plan import MARGIN, cut_off, next_change, orders
from bundlevisor.actors.process.table.found import GUARDIAN_S


def guarded(service: str, *depends_on: str, grace_s: float = 5.0) -> GuardedProcess:
    return GuardedProcess(service, f"r-{service}", grace_s=grace_s, depends_on=depends_on)


CHAIN = {
    c.instance: c
    for c in (
        guarded("db"),
        guarded("api", "db"),
        guarded("web", "api", "db"),
        guarded("job", "db"),
    )
}
LATE = 1000.0


@pytest.mark.parametrize(
    ("living", "asked", "now", "ask", "kill"),
    [
        ({"db", "api", "web", "job"}, {}, 0.0, {"web", "job"}, set()),
        ({"db", "api", "web", "job"}, {"web": 0.0, "job": 0.0}, 1.0, set(), set()),
        ({"db", "api", "job"}, {"job": 0.0}, 1.0, {"api"}, set()),
        ({"db", "api", "job"}, {"job": 0.0}, 5.0, {"api"}, {"job"}),
        ({"db", "web"}, {}, 0.0, {"web"}, set()),
        ({"db"}, {}, 0.0, {"db"}, set()),
        ({"db", "web"}, {"web": 0.0}, LATE, set(), {"db", "web"}),
        (set(), {"web": 0.0}, 9.0, set(), set()),
    ],
)
def test_who_is_asked_and_who_is_killed(
    living: set[str], asked: dict[str, float], now: float, ask: set[str], kill: set[str]
) -> None:
    due = orders(
        CHAIN,
        {f"r-{name}" for name in living},
        {f"r-{name}": when for name, when in asked.items()},
        now,
        LATE,
    )
    assert due.ask == {f"r-{name}" for name in ask}
    assert due.kill == {f"r-{name}" for name in kill}


def test_patience_is_the_longest_chain_of_graces() -> None:
    all_guarded = {
        c.instance: c
        for c in (
            guarded("db", grace_s=2),
            guarded("api", "db", grace_s=3),
            guarded("job", grace_s=4),
        )
    }
    assert cut_off(all_guarded, 100.0) == 100.0 + 2 + 3 + MARGIN
    assert cut_off({}, 100.0) == 100.0 + MARGIN


def test_patience_has_an_end() -> None:
    assert cut_off({"r-x": guarded("x", grace_s=3600)}, 0.0) == GUARDIAN_S


def test_the_next_change_is_the_end_of_a_grace_or_the_cut_off() -> None:
    living = {"r-web", "r-job"}
    assert next_change(CHAIN, living, {"r-web": 7.0}, LATE) == 12.0
    assert next_change(CHAIN, living, {}, LATE) == LATE
    assert next_change(CHAIN, living, {"r-web": 7.0}, 9.0) == 9.0


@given(st.dictionaries(st.integers(0, 9), st.floats(0.1, 20), max_size=8))
def test_nobody_is_left_whatever_the_graces(graces: dict[int, float]) -> None:
    """Nobody reacts to anything: each is asked once, in order, and all are killed in the end."""
    all_guarded = {
        f"r-{i}": guarded(str(i), *(str(j) for j in graces if j < i), grace_s=grace)
        for i, grace in graces.items()
    }
    until = cut_off(all_guarded, 0.0)
    living, asked, now = set(all_guarded), dict[str, float](), 0.0
    order: list[str] = []
    while living:
        due = orders(all_guarded, living, asked, now, until)
        order += sorted(due.ask)
        asked |= dict.fromkeys(due.ask, now)
        living -= due.kill
        if not due.ask and not due.kill:
            after = next_change(all_guarded, living, asked, until)
            assert after > now
            now = after
    assert now <= until
    assert order == sorted(order, reverse=True)
    assert len(order) == len(set(order))


def test_patience_counts_the_longer_grace_of_two_and_only_who_is_guarded() -> None:
    two = {
        "new": GuardedProcess("db", "new", grace_s=2, depends_on=()),
        "old": GuardedProcess("db", "old", grace_s=6, depends_on=()),
        "other": GuardedProcess("db", "other", grace_s=4, depends_on=()),
    }
    assert cut_off(two, 0.0) == 6 + MARGIN
    assert cut_off({"r-api": guarded("api", "gone", grace_s=0.5)}, 0.0) == 0.5 + MARGIN
    apart = {c.instance: c for c in (guarded("api", "db", grace_s=3), guarded("db", grace_s=2))}
    assert cut_off(apart, 10.0) == 10.0 + 2 + 3 + MARGIN
    assert cut_off({"r-x": guarded("x", grace_s=3600)}, 10.0) == 10.0 + GUARDIAN_S
