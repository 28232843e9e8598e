"""Looks that may block are taken one after the other on one thread, which ends with them."""

from __future__ import annotations

import sys
import threading
from functools import partial

import pytest

from bundlevisor.actors import look_thread
from bundlevisor.actors.look_thread import LookThread
from tests.waiting import WITHIN, wait_until

NAME = "test beside"


def test_hundreds_of_looks_take_one_thread_and_one_that_fails_costs_no_other() -> None:
    done: list[int] = []
    faults: list[BaseException] = []
    go_on = threading.Event()
    threads: set[int] = set()
    beside = LookThread(NAME, lambda _, error: faults.append(error))

    def look(number: int) -> None:
        threads.add(threading.get_ident())
        done.append(number)

    def fail() -> None:
        raise OSError("no such process")

    beside.put(lambda: go_on.wait(30))
    beside.put(fail)
    for number in range(300):
        beside.put(partial(look, number))
    go_on.set()
    wait_until(lambda: len(done) == 300, what="all have been taken")
    assert done == list(range(300))
    assert len(threads) == 1
    assert [str(error) for error in faults] == ["no such process"]
    wait_until(lambda: not threads & sys._current_frames().keys(), what="the thread has ended")
    beside.put(lambda: done.append(300))
    wait_until(lambda: done[-1] == 300, what="another thread has taken the next")


def test_where_there_is_no_thread_the_next_look_asks_for_one_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = threading.Event()
    beside = LookThread(NAME, lambda _, error: None)

    def refuse(_run: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limit:
        limit.setattr(look_thread, "start_thread", refuse)
        with pytest.raises(RuntimeError):
            beside.put(done.set)
    beside.put(done.set)
    assert done.wait(30)


def test_after_one_that_has_not_the_memory_to_go_on_there_is_another_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def short(_beside: LookThread) -> None:
        raise MemoryError

    errors: list[object] = []
    done = threading.Event()
    beside = LookThread(NAME, lambda _, error: None)
    with monkeypatch.context() as shortage:
        shortage.setattr(sys, "unraisablehook", errors.append)
        shortage.setattr(LookThread, "_next", short)
        beside.put(done.set)
        wait_until(lambda: errors, what="the thread has ended")
    beside.put(lambda: None)
    assert done.wait(WITHIN)
