"""The names of signals are those of the platform, although its enumeration is not asked."""

from __future__ import annotations

import os
import signal

import pytest

from bundlevisor.actors.process.exit_reason import describe_exit, signal_name

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no signals there")


@pytest.mark.parametrize("number", sorted(signal.Signals))
def test_every_signal_has_the_name_of_the_enumeration(number: signal.Signals) -> None:
    assert signal_name(int(number)) == number.name


@pytest.mark.parametrize("number", [0, 250])
def test_a_number_that_is_none_is_spelled_out(number: int) -> None:
    assert signal_name(number) == f"signal {number}"


def test_an_exit_is_told_by_its_code_or_its_signal() -> None:
    assert [describe_exit(code) for code in (0, 3, -9, -99)] == [
        "exit 0",
        "exit 3",
        "killed by SIGKILL",
        "killed by signal 99",
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0xC0000005, "exit 0xC0000005 (access violation)"),
        (0xC0000135, "exit 0xC0000135 (a DLL that it needs is not there)"),
        (0xC0001234, "exit 0xC0001234"),
        (0xFFFFFFFF, "exit 4294967295"),
        (0xBFFFFFFF, "exit 3221225471"),
    ],
)
def test_a_code_by_which_windows_ends_a_program_is_told_as_it_is_looked_up(
    code: int, words: str
) -> None:
    assert describe_exit(code) == words
