"""Who waits on the board, what wakes them, and what they see."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given, strategies as st

from bundlevisor.actors.core.snapshot import Board, Phase, ServiceView, Snapshot, State, Tally
from tests.waiting import wait_until


def view(state: State, **fields: Any) -> ServiceView:
    return ServiceView(**{"id": "a", "state": state, "message": "", "updated_at": 0, **fields})


def waiters(board: Board) -> int:
    """How many wait for a decision."""
    news: Any = board._decided
    return len(news._waiters)


def test_a_board_wakes_who_waits_for_a_picture() -> None:
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services={}))
    seen: list[int] = []
    waiting = threading.Thread(
        target=lambda: seen.append(board.wait(lambda one: one.version > 1, 30).version)
    )
    waiting.start()
    board.publish(Snapshot(version=2, phase=Phase.RUNNING, services={}))
    waiting.join(30)
    assert seen == [2]
    assert board.wait(lambda _: False, 0).version == board.snapshot.version == 2


def test_who_waits_keeps_nobody_from_publishing_while_he_looks() -> None:
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services={}))
    looking, seen = threading.Event(), threading.Event()

    def look(one: Snapshot) -> bool:
        looking.set()
        assert seen.wait(30)
        return one.version > 1

    waiting = threading.Thread(target=lambda: board.wait(look, 30))
    waiting.start()
    assert looking.wait(30)
    second = Snapshot(version=2, phase=Phase.RUNNING, services={})
    publishing = threading.Thread(target=lambda: board.publish(second), daemon=True)
    publishing.start()
    publishing.join(10)
    published = not publishing.is_alive()
    seen.set()
    waiting.join(30)
    assert published


def test_only_a_decision_wakes_who_waits_for_it() -> None:
    views = [view(state) for state in (State.WAITING, State.STARTING, State.UNHEALTHY)]
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services={"a": views[0]}))
    looked, seen = threading.Event(), list[int]()

    def until(one: Snapshot) -> bool:
        seen.append(one.version)
        looked.set()
        return one.ready

    waiting = threading.Thread(target=lambda: board.wait_decided(30, until))
    waiting.start()
    assert looked.wait(30)
    wait_until(lambda: waiters(board), what="the wait")
    for version, one in enumerate(views, start=2):
        board.publish(Snapshot(version=version, phase=Phase.RUNNING, services={"a": one}))
        assert waiters(board) == 1
    board.publish(
        Snapshot(version=5, phase=Phase.RUNNING, services={"a": view(State.READY)}), decided=True
    )
    waiting.join(30)
    assert seen == [1, 5]


def test_who_waits_for_what_a_decision_does_not_bring_waits_on() -> None:
    failed = Snapshot(version=1, phase=Phase.RUNNING, services={"a": view(State.FAILED)})
    board = Board(failed)
    found: list[Snapshot] = []
    waiting = threading.Thread(
        target=lambda: found.append(board.wait_decided(30, lambda one: one.ready))
    )
    waiting.start()
    wait_until(lambda: waiters(board), what="the wait")
    board.publish(failed)
    board.publish(Snapshot(version=2, phase=Phase.RUNNING, services={"a": view(State.READY)}))
    waiting.join(30)
    assert [one.version for one in found] == [2]
    assert board.wait_decided(0, lambda one: one.hopeless).version == 2


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
    for id_, state, skipped, blocked in seen:
        shown[id_] = view(state, id=id_, skipped=skipped, blocked=blocked)
        tally.see(shown[id_])
        snapshot = Snapshot(version=1, phase=phase, services=dict(shown))
        assert tally.decided(phase) is snapshot.decided
