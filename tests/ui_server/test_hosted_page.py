"""A page in a process that it shares, as its actor sees it: how it is asked, killed and ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.actors.ui_server.parent.hosted_page import DROP_WITHIN, HostedPage


class Host:
    """A process that only notes what it is told; ``left`` says what waits for which page."""

    pid, created = 7, 1.0

    def __init__(self) -> None:
        self.told: list[object] = []
        self.left = True

    def set_upstream(self, page: HostedPage, port: int | None) -> None:
        self.told.append((page.instance, port))

    def remove(self, page: HostedPage) -> None:
        self.told.append(("remove", page.instance))

    def drop(self, page: HostedPage) -> None:
        self.told.append(("drop", page.instance))

    def kill(self) -> None:
        self.told.append("kill")

    def waits_for(self, page: HostedPage) -> bool:
        return self.left


class Loop:
    """Calls at once."""

    def call_soon(self, callback: Callable[[], object]) -> None:
        callback()


LOOP: Any = Loop()


def test_whatever_its_signal_it_is_asked_to_finish() -> None:
    host = Host()
    page = HostedPage(host, "ui-1")
    assert page.ask_to_stop("SIGKILL")
    assert host.told == [("remove", "ui-1")]


def test_a_kill_drops_it_and_ends_the_process_only_when_that_does_not_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, now = Host(), 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    page = HostedPage(host, "ui-1")
    for _ in range(3):
        page.kill()
    assert host.told == [("drop", "ui-1")]
    now += DROP_WITHIN
    page.kill()
    assert host.told == [("drop", "ui-1"), "kill"]


def test_a_page_that_is_gone_kills_only_the_process_that_ends_with_it() -> None:
    host = Host()
    page = HostedPage(host, "ui-1")
    page.gone(0)
    host.left = False
    page.kill()
    assert (page.poll(), page.survivors(), host.told) == (0, [], [])
    host.left = True
    assert page.survivors() == [7]
    page.kill()
    assert host.told == ["kill"]


def test_who_asks_last_is_told_of_the_end_also_when_it_has_been() -> None:
    """An actor that takes over from a broken one."""
    page, told = HostedPage(Host(), "ui-1"), list[str]()
    page.watch_exit(LOOP, lambda: told.append("broken"))
    page.watch_exit(LOOP, lambda: told.append("mended"))
    page.gone(1)
    assert told == ["mended"]
    page.watch_exit(LOOP, lambda: told.append("late"))
    assert told == ["mended", "late"]


def test_what_was_handed_over_is_let_go_once() -> None:
    closed: list[str] = []
    for arrives in (True, False):
        page = HostedPage(Host(), "ui-1", lambda: closed.append("closed"))
        if arrives:
            page.arrived()
        page.gone(0)
    assert closed == ["closed", "closed"]
