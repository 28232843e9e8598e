"""A secret's format: search semantics, linear time, and an end to what takes long all the same."""

from __future__ import annotations

import errno
import os
import sys
from multiprocessing import connection

import pytest

from bundlevisor.actors.process import isolated_call
from bundlevisor.actors.secrets import format_match
from bundlevisor.actors.secrets.format_match import matches
from tests.waiting import WITHIN

CASES = [
    ("^k-[0-9]+$", "k-123", True),
    ("^k-[0-9]+$", "xk-123", False),
    ("[0-9]{3}", "in 123 it", True),
    ("^a$", "b\na\nb", False),
    ("^a$", "a\n", False),
    ("^.$", "ü", True),
    (r"\A[[:alpha:]]+\z", "abc", True),
    ("^(?i)ab$", "AB", True),
    ("[0-9]", "7\udcff", True),
    ("^.{2}$", "7\udcff", True),
]


@pytest.mark.parametrize(("pattern", "value", "answer"), CASES)
def test_a_format_is_searched_for_as_go_does(pattern: str, value: str, answer: bool) -> None:
    assert matches(pattern, value) is answer


def test_a_catastrophic_format_is_answered_at_once_by_re2() -> None:
    assert matches("^(a+)+$", "a" * 50_000) is True
    assert matches("^(a+)+$", "a" * 50_000 + "!") is False


def test_a_format_that_is_linear_but_slow_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2 would take half a minute here, on a thread of the control API."""
    monkeypatch.setattr(format_match, "PATIENCE", 0.2)
    assert matches("[ab]*a" + "[ab]{1000}" * 20 + "c", "ab" * 100_000) is False


def test_a_long_value_of_a_usual_format_is_matched_all_the_same() -> None:
    assert matches("^(?i)[a-z]{1,200}[0-9a-f]*$", "k" + "0" * 900_000) is True
    assert matches("^(?i)[a-z]{1,200}[0-9a-f]*$", "k" + "0" * 900_000 + "!") is False


def test_an_isolated_call_returns_raises_by_type_and_is_ended_in_time() -> None:
    assert isolated_call.call(len, "abc", timeout=WITHIN) == 3
    with pytest.raises(isolated_call.CallFailed, match=r"^ValueError$"):
        isolated_call.call(int, "a secret", timeout=WITHIN)
    with pytest.raises(TimeoutError):
        isolated_call.call(input_for_ever, timeout=0.1)


def test_an_isolated_call_for_which_there_is_no_descriptor_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(connection, "Pipe", refuse)
    with pytest.raises(isolated_call.CallFailed, match=r"^Too many open files$"):
        isolated_call.call(len, "abc", timeout=WITHIN)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")
def test_the_pid_of_an_isolated_call_is_nobodys_afterwards() -> None:
    """An orphan that is given it later would be taken for a child that somebody waits for."""
    from bundlevisor.actors.process import tree

    assert not tree.is_known(isolated_call.call(os.getpid, timeout=WITHIN))


def input_for_ever() -> None:
    import threading

    threading.Event().wait()
