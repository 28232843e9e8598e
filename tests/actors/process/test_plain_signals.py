"""Signals are handled and blocked whatever form their constants have by then."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from bundlevisor.actors.process import plain_signals

NUMBER = signal.SIGTERM


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = signal.getsignal(NUMBER)
    yield
    signal.signal(NUMBER, before)


@pytest.mark.parametrize("how", [signal.SIG_IGN, int(signal.SIG_IGN), signal.SIG_DFL])
def test_a_member_means_what_its_number_means(how: int) -> None:
    plain_signals.handle(NUMBER, how)
    assert signal.getsignal(NUMBER) == how


def test_a_function_is_called() -> None:
    heard: list[int] = []
    plain_signals.handle(int(NUMBER), lambda number, _: heard.append(number))
    signal.raise_signal(NUMBER)
    assert heard == [NUMBER]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no masks")
def test_a_mask_is_changed_and_given_back() -> None:
    before = plain_signals.change_mask(signal.SIG_BLOCK, (NUMBER,))
    try:
        assert NUMBER in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        assert NUMBER not in before
    finally:
        plain_signals.change_mask(signal.SIG_SETMASK, before)
    assert NUMBER not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
