"""Looks that may block are taken one after the other on one thread, which ends with them."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from bundlevisor.actors.look_thread import LookThread
from tests.waiting import wait_until

NAME = "test beside"


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == NAME]


def test_hundreds_of_looks_take_one_thread_and_one_that_fails_costs_no_other() -> None:
    done: list[int] = []
    faults: list[BaseException] = []
    go_on = threading.Event()
    beside = LookThread(NAME, lambda _, error: faults.append(error))

    def fail() -> None:
        raise OSError("no such process")

    beside.put(lambda: go_on.wait(30))
    beside.put(fail)
    for number in range(300):
        beside.put(partial(done.append, number))
    assert len(threads()) == 1
    go_on.set()
    wait_until(lambda: len(done) == 300, what="all have been taken")
    assert done == list(range(300))
    assert [str(error) for error in faults] == ["no such process"]
    wait_until(lambda: not threads(), what="the thread has ended")
    beside.put(lambda: done.append(300))
    wait_until(lambda: done[-1] == 300, what="another thread has taken the next")


def test_where_there_is_no_thread_the_next_look_asks_for_one_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = threading.Event()
    beside = LookThread(NAME, lambda _, error: None)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limit:
        limit.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            beside.put(done.set)
    beside.put(done.set)
    assert done.wait(30)
