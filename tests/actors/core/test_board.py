"""Who waits on the board, what wakes them, and what they see."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors import board as board_module
from bundlevisor.actors.board import Board
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State, Tally
from tests.waiting import wait_until


def view(state: State, **fields: Any) -> ServiceView:
    return ServiceView(**{"id": "a", "state": state, "message": "", "updated_at": 0, **fields})


LONG = 600.0
"""Seconds: nobody who waits so long in a test has seen what he waits for."""


def meanwhile(work: Callable[[], object]) -> threading.Thread:
    """Begin something that may never end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(thread: threading.Thread) -> bool:
    thread.join(30)
    return not thread.is_alive()


def waiters(board: Board) -> int:
    """How many wait for a decision."""
    news: Any = board._decided
    return len(news._waiters)


def test_a_board_wakes_who_waits_for_a_picture() -> None:
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services={}))
    seen: list[int] = []
    waiting = meanwhile(lambda: seen.append(board.wait(lambda one: one.version > 1, LONG).version))
    board.publish(Snapshot(version=2, phase=Phase.RUNNING, services={}))
    assert ended(waiting)
    assert seen == [2]
    assert board.wait(lambda _: False, 0).version == board.snapshot.version == 2


def test_who_waits_keeps_nobody_from_publishing_while_he_looks() -> None:
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services={}))
    looking, seen = threading.Event(), threading.Event()

    def look(one: Snapshot) -> bool:
        looking.set()
        assert seen.wait(60)
        return one.version > 1

    waiting = meanwhile(lambda: board.wait(look, LONG))
    assert looking.wait(30)
    second = Snapshot(version=2, phase=Phase.RUNNING, services={})
    published = ended(meanwhile(lambda: board.publish(second)))
    seen.set()
    assert ended(waiting)
    assert published


def test_only_a_decision_wakes_who_waits_for_it() -> None:
    views = [view(state) for state in (State.WAITING, State.STARTING, State.UNHEALTHY)]
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services={"a": views[0]}))
    looked, seen = threading.Event(), list[int]()

    def until(one: Snapshot) -> bool:
        seen.append(one.version)
        looked.set()
        return one.ready

    waiting = meanwhile(lambda: board.wait_decided(LONG, until))
    assert looked.wait(30)
    wait_until(lambda: waiters(board), what="the wait")
    for version, one in enumerate(views, start=2):
        board.publish(Snapshot(version=version, phase=Phase.RUNNING, services={"a": one}))
        assert waiters(board) == 1
    board.publish(
        Snapshot(version=5, phase=Phase.RUNNING, services={"a": view(State.READY)}), decided=True
    )
    assert ended(waiting)
    assert seen == [1, 5]


def test_who_waits_for_what_a_decision_does_not_bring_waits_on() -> None:
    failed = Snapshot(version=1, phase=Phase.RUNNING, services={"a": view(State.FAILED)})
    board = Board(failed)
    found: list[Snapshot] = []
    waiting = meanwhile(lambda: found.append(board.wait_decided(LONG, lambda one: one.ready)))
    wait_until(lambda: waiters(board), what="the wait")
    board.publish(failed)
    board.publish(Snapshot(version=2, phase=Phase.RUNNING, services={"a": view(State.READY)}))
    assert ended(waiting)
    assert [one.version for one in found] == [2]
    assert board.wait_decided(0, lambda one: one.hopeless).version == 2


def test_who_waits_in_vain_has_the_newest_picture_at_the_end_of_his_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = Snapshot(version=1, phase=Phase.RUNNING, services={"a": view(State.WAITING)})
    for wait in (Board(first).wait_decided, lambda end: Board(first).wait(lambda _: False, end)):
        times = iter([5.0, 5.01, 5.02])
        clock = SimpleNamespace(monotonic=times.__next__)
        monkeypatch.setattr(board_module, "time", clock)
        assert wait(0.02) is first
        assert list(times) == []


@pytest.mark.parametrize("state", State)
def test_what_is_ready_or_hopeless_by_itself(state: State) -> None:
    """Failed, stopped or blocked: it needs somebody. What is skipped is not asked."""
    assert view(state).ready is (state is State.READY)
    assert view(state).hopeless is (state in (State.FAILED, State.STOPPED))
    assert view(state, blocked=True).hopeless
    asleep = state in (State.INACTIVE, State.STOPPED)
    assert view(state, on_demand=True).skipped is asleep
    assert view(state, blocked=True, on_demand=True).hopeless is not asleep


@pytest.mark.parametrize(
    ("views", "ready", "hopeless"),
    [
        ([], True, False),
        ([view(State.READY)], True, False),
        ([view(State.INACTIVE, on_demand=True)], True, False),
        ([view(State.READY), view(State.WAITING)], False, False),
        ([view(State.READY), view(State.FAILED)], False, True),
        ([view(State.STOPPED, on_demand=True), view(State.READY)], True, False),
    ],
)
def test_a_bundle_is_ready_or_hopeless_or_neither(
    views: list[ServiceView], ready: bool, hopeless: bool
) -> None:
    services = {str(number): one for number, one in enumerate(views)}
    running = Snapshot(version=1, phase=Phase.RUNNING, services=services)
    assert (running.ready, running.hopeless) == (ready, hopeless)
    assert running.decided is (ready or hopeless)
    for phase in (Phase.STOPPING, Phase.STOPPED):
        ending = Snapshot(version=1, phase=phase, services=services)
        assert (ending.ready, ending.hopeless, ending.decided) == (False, True, True)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(State), st.booleans(), st.booleans())
    ),
    st.sampled_from(Phase),
)
def test_what_a_tally_says_is_what_the_snapshot_says(
    seen: list[tuple[str, State, bool, bool]], phase: Phase
) -> None:
    shown = {id_: view(State.WAITING, id=id_) for id_ in "abc"}
    tally = Tally(shown.values())
    for id_, state, lazy, blocked in seen:
        shown[id_] = view(state, id=id_, on_demand=lazy, blocked=blocked)
        tally.see(shown[id_])
        whole = Snapshot(version=1, phase=phase, services=dict(shown))
        assert tally.decided(phase) is whole.decided
