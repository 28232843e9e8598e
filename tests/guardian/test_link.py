"""The runtime's end, with a guardian that is only played: what comes in which order."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from unittest.mock import Mock

import pytest

from bundlevisor.actors.guardian import guardian_process, roster, starting
from bundlevisor.actors.guardian.channel import End
from bundlevisor.actors.guardian.link import Guardian
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="plays a guardian on a socket")


class Played:
    """Ends as soon as it is started, like one that has read the last word."""

    pid = 0

    def __init__(self, theirs: End) -> None:
        theirs.close()

    exitcode = 0

    def kill(self) -> None:
        pass


class Turns:
    """A loop whose callbacks come when the test says so; descriptors are checked as by select."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], object]] = []
        self.readable: list[Callable[[], object]] = []
        self.later: list[Callable[[], object]] = []

    def call_soon(self, callback: Callable[[], object], /) -> None:
        self.soon.append(callback)

    def call_at(self, when: float, callback: Callable[[], object], /) -> object:
        self.later.append(callback)
        return when

    def watch(self, fd: int, read: Callable[[], object], /) -> None:
        assert fd >= 0
        self.readable.append(read)

    def unwatch(self, fd: int, /) -> bool:
        assert fd >= 0
        return True


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    monkeypatch.setattr(starting, "first", Played)
    return Turns()


def test_an_end_that_is_seen_after_the_dismissal_is_no_death(turns: Turns) -> None:
    news: list[str] = []
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda event, _: news.append(event))
    turns.soon.pop(0)()
    assert guardian.dismiss()
    (seen,) = turns.readable
    seen()
    assert news == []


def test_a_dismissed_guardian_is_not_watched_any_more(turns: Turns) -> None:
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda _event, _details: None)
    assert guardian.dismiss()
    turns.soon.pop(0)()
    assert turns.readable == []


def test_a_dead_guardian_is_followed_as_soon_as_there_is_a_thread_for_it(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    followed: list[End] = []

    def follow(theirs: End) -> Played:
        played = Played(theirs)  # its end of the channel is closed when the test goes on
        followed.append(theirs)
        return played

    monkeypatch.setattr(starting, "another", follow)
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda _event, _details: None)
    turns.soon.pop(0)()
    (seen,) = turns.readable
    with monkeypatch.context() as none_is_had:
        none_is_had.setattr(threading.Thread, "start", refuse)
        seen()
        turns.later.pop()()
    assert not followed
    turns.later.pop()()
    wait_until(lambda: followed, what="another guardian")
    assert guardian.dismiss()


class Answering(Played):
    """Has taken charge, and lives until its end of the channel is closed."""

    pid = (1 << 22) + 1  # more than any process has

    def __init__(self, theirs: End) -> None:
        theirs.send(self.pid.to_bytes(4, "little"))
        self.end = theirs


def test_a_guardian_that_dies_with_the_reserve_that_it_was_to_fork_is_followed(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the reserve's channel took the last descriptors that there were."""
    first: list[Answering] = []
    followed: list[End] = []

    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    def begin(theirs: End) -> Answering:
        first.append(Answering(theirs))
        return first[0]

    def follow(theirs: End) -> Played:
        played = Played(theirs)
        followed.append(theirs)
        return played

    monkeypatch.setattr(starting, "first", begin)
    monkeypatch.setattr(starting, "another", follow)
    monkeypatch.setattr(os, "dup", refuse)
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda _event, _details: None)
    guardian.keep_reserve()
    turns.soon.pop(0)()
    (seen,) = turns.readable
    seen()
    first[0].end.close()
    seen()
    for callback in turns.soon:
        callback()
    turns.readable[-1]()  # the reserve, if there is to be one, has gone with it
    wait_until(lambda: followed, what="another guardian")
    assert guardian.dismiss()


@pytest.fixture
def answering(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guardian]:
    """A guardian that has been started, and is about to be watched."""
    started = Mock(side_effect=Answering)
    monkeypatch.setattr(starting, "first", started)
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda _event, _details: None)
    yield guardian
    started.call_args.args[0].close()
    guardian.dismiss(0.0)


def test_a_reserve_for_which_there_is_no_descriptor_is_asked_for_again(
    answering: Guardian, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[], object]] = []
    monkeypatch.setattr(roster.Roster, "_later", lambda _, start: asked.append(start))
    answering.keep_reserve()
    turns.soon.pop(0)()
    with monkeypatch.context() as none_is_had:
        none_is_had.setattr(roster, "pair", Mock(side_effect=OSError(errno.EMFILE, "too many")))
        turns.readable[0]()
    assert len(answering._roster.guardians) == 1
    asked.pop()()
    assert len(answering._roster.guardians) == 2


def test_what_is_not_taken_is_offered_again_by_one_timer_however_many_guardians_follow(
    answering: Guardian, turns: Turns
) -> None:
    kept = answering._roster
    while kept._offer_again not in turns.later:
        answering.own("a file", b"x" * 1000)
    for _ in range(3):
        kept._begin_watching(kept.guardians[0])
    assert turns.later.count(kept._offer_again) == 1


@pytest.mark.parametrize("answered", [False, True])
def test_the_channel_of_a_reserve_is_held_until_it_answers_where_it_might_be_lost(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """As on macOS, where a socket that only a message holds loses what is in it (xnu's unp_gc)."""
    from bundlevisor.actors.guardian.channel_posix import Receiver

    first: list[Answering] = []
    changes: list[None] = []

    def begin(theirs: End) -> Answering:
        first.append(Answering(theirs))
        return first[0]

    monkeypatch.setattr(starting, "first", begin)
    monkeypatch.setattr(guardian_process, "HOLDS_WHAT_IS_SENT", True)
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda _event, _details: None, lambda: changes.append(None))
    guardian.keep_reserve()
    turns.soon.pop(0)()
    turns.readable[0]()
    for callback in turns.soon:
        callback()
    told = Receiver(first[0].end).receive() or []
    (arrived,) = [fd for message, fd in told if message == ("reserve",)]
    if answered:
        os.write(arrived, (Answering.pid + 1).to_bytes(4, "little"))
        turns.readable[-1]()
    os.close(arrived)
    before = len(changes)
    turns.readable[-1]()
    assert len(changes) - before == answered
    first[0].end.close()
    assert guardian.dismiss()


def test_a_reserve_that_does_not_answer_in_time_is_told_that_it_is_given_up(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be forked by a guardian that goes on later, and would take the end for a death."""
    from bundlevisor.actors.guardian import guard
    from bundlevisor.actors.guardian.channel_posix import Receiver

    first: list[Answering] = []

    def begin(theirs: End) -> Answering:
        first.append(Answering(theirs))
        return first[0]

    monkeypatch.setattr(starting, "first", begin)
    monkeypatch.setattr(roster.Roster, "_later", lambda *_: None)
    monkeypatch.setattr(guard, "_take_charge", lambda _: None)  # of this very process
    guardian = Guardian.start("played")
    guardian.attach(turns, lambda _event, _details: None)
    guardian.keep_reserve()
    turns.soon.pop(0)()
    turns.readable[0]()
    for callback in turns.soon:
        callback()
    told = Receiver(first[0].end).receive() or []
    (arrived,) = [fd for message, fd in told if message == ("reserve",)]
    turns.later[-1]()  # its time to answer is over
    with socket.socket(fileno=arrived) as end:
        state, _ = guard._listen(Receiver(end), None)  # type: ignore[arg-type]  # forks nobody
    assert (state.given_up, state.dismissed) == (True, False)
    first[0].end.close()
    assert guardian.dismiss()


def test_a_descriptor_for_which_there_is_no_space_now_is_sent_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS, in the words of its uipc_send: EMSGSIZE, where other systems have EAGAIN."""
    from bundlevisor.actors.guardian import channel_posix

    send_fds, refusals = socket.send_fds, iter([errno.EMSGSIZE])

    def of_macos(sock: End, data: list[bytes], fds: list[int]) -> int:
        if (code := next(refusals, None)) is not None:
            raise OSError(code, os.strerror(code))
        return send_fds(sock, data, fds)

    monkeypatch.setattr(socket, "send_fds", of_macos)
    sender, theirs = channel_posix.pair()
    with open(os.devnull, "rb") as sent:
        assert not sender.send(("expect",), channel_posix.duplicate(sent.fileno()))
        assert sender.pump()
        ((message, fd),) = channel_posix.Receiver(theirs).receive() or []
        assert message == ("expect",)
        assert os.path.samestat(os.fstat(fd), os.fstat(sent.fileno()))
    os.close(fd)
    sender.close()
    theirs.close()
