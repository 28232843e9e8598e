from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from bundlevisor.actors.logs import match_thread
from bundlevisor.actors.logs.line_search import WINDOW
from bundlevisor.actors.logs.match import PatternMatcher
from bundlevisor.actors.logs.match_thread import SearchBeside
from tests.waiting import wait_until

PATIENCE = 30.0


def matcher_of(pattern: str, reports: list[str] | None = None) -> PatternMatcher:
    return PatternMatcher(pattern, (reports if reports is not None else []).append)


def fed(pattern: str, *blocks: bytes) -> list[bool]:
    matcher = matcher_of(pattern)
    return [matcher.feed(block) for block in blocks]


def test_re2_comes_on_first_use_only() -> None:
    program = "import sys, bundlevisor.actors.logs.match; print('re2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


def test_plain_text_is_looked_for_without_it() -> None:
    program = (
        "import sys\n"
        "from bundlevisor.actors.logs.match import PatternMatcher\n"
        "matcher = PatternMatcher('the index is up to date', print)\n"
        "found = [matcher.feed(b'the index is up'), matcher.feed(b' to date')]\n"
        "print(*found, 're2' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"False", b"True", b"False"]


def test_a_match_is_found_over_the_border_of_blocks() -> None:
    assert fed("listening on \\d+", b"boot\nlisten", b"ing on", b" 47", b"001\n")[-1] is True
    assert fed("listening on \\d+", b"boot\nlisten", b"ing on", b" \n", b"47\n")[-1] is False


def test_every_cut_of_a_text_finds_the_same() -> None:
    text = b"first line\n  server READY (pid 12)\nlast"
    for cut in range(len(text)):
        assert fed(r"^\s+server READY \(pid \d+\)$", text[:cut], text[cut:])[-1] is True


def test_anchors_stand_for_the_borders_of_lines() -> None:
    assert fed("^READY$", b"boot\nREADY\nmore\n") == [True]
    assert fed("^READY$", b"boot\nREADY\r\nmore\n") == [True]
    assert fed("^READY$", b"not READY\nREADY not\n") == [False]


def test_an_unfinished_line_does_not_match_what_its_end_may_change() -> None:
    assert fed("ready$", b"ready", b" to fail\n") == [False, False]
    assert fed(r"\bready\b", b"ready", b"ness\n") == [False, False]
    assert fed("ready$", b"ready", b"\n") == [False, True]


def test_a_prompt_without_an_end_matches() -> None:
    assert fed("password:", b"enter password: ") == [True]


def test_a_pattern_may_span_lines() -> None:
    assert fed(r"(?s)migrated.*listening", b"migrated\n", b"other\n", b"listening\n")[-1] is True
    assert fed(r"one\ntwo", b"one\n", b"two\n")[-1] is True


def test_the_syntax_of_the_go_runtime_s_patterns_is_understood() -> None:
    assert fed(r"(?i)Server \[[[:alpha:]]+\] (?P<what>up)\z?", b"SERVER [main] UP\n") == [True]
    assert wait_for(matcher_of(r"\p{Greek}+ \pN"), "Ωμέγα 7\n".encode)
    assert fed(r"\QC++ (ready)\E", b"C++ (ready)\n") == [True]


def test_bytes_that_are_no_utf_8_are_any_character() -> None:
    assert fed("^.*ready", b"\xff\xfe\x80 ready\n") == [True]
    assert fed("^caf. ready$", "café".encode()[:-1], "é".encode()[1:] + b" ready\n")[-1] is True


def test_a_line_without_end_is_searched_in_a_window() -> None:
    matcher = matcher_of("needle")
    for _ in range(20):
        assert matcher.feed(b"x" * WINDOW) is False
    assert matcher.feed(b"nee") is False
    assert matcher.feed(b"dle") is True
    assert len(matcher._lines._line) <= WINDOW


def test_a_match_stays_a_match() -> None:
    assert fed("ready", b"ready\n", b"other\n", b"") == [True, True, True]


def test_a_catastrophic_pattern_comes_to_its_end() -> None:
    """Backtracking would double with every letter; even its square would take an hour."""
    letters = b"a" * (1 << 20)
    matcher = matcher_of("(a+)+$")
    assert matcher.feed(letters + b"b\n" + letters + b"!") is False
    matcher.feed(b"\n" + letters + b"\n")
    wait_until(lambda: matcher.feed(b""), PATIENCE, "the line that does match")


STUBBORN = "[ab]*a" + "[ab]{1000}" * 20 + "c"
"""Linear in the text, with a factor of twenty thousand."""


def is_beside(matcher: PatternMatcher) -> bool:
    """Whether the calling thread searches no more."""
    return matcher._beside is not None


def noise(size: int) -> bytes:
    dice = random.Random(3)
    return bytes(dice.choice(b"ab") for _ in range(size))


def test_a_large_pattern_is_searched_beside_the_log_and_given_up_when_it_is_too_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(match_thread, "PATIENCE", 0.05)
    reports: list[str] = []
    matcher = matcher_of(STUBBORN, reports)
    assert is_beside(matcher)
    assert matcher.feed(noise(16 * 1024)) is False
    wait_until(lambda: bool(reports), what="the sentence")
    assert reports[0].endswith("is not searched for any more: it took longer than 0.05 s")
    assert matcher.feed(b"more\n") is False


def test_a_slow_search_ends_soon_however_much_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After its patience and what one slice takes, not after all of the output."""
    monkeypatch.setattr(match_thread, "PATIENCE", 0.2)
    monkeypatch.setattr(match_thread, "RATE", 0.0)
    reports: list[str] = []
    searched: list[bytes] = []

    def search(text: bytes) -> bool:
        end = time.thread_time() + 0.15
        while time.thread_time() < end:
            sum(range(1000))
        searched.append(text)
        return False

    matcher = SearchBeside("slow", search, lambda: None, reports.append)
    matcher.feed(bytes(10 * match_thread.SLICE))
    wait_until(lambda: bool(reports), deadline=60, what="the sentence")
    assert [len(text) for text in searched] == [match_thread.SLICE] * 2


def test_a_pattern_that_is_fast_enough_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_thread, "PATIENCE", 0.0)
    monkeypatch.setattr(match_thread, "RATE", 1.0)
    reports: list[str] = []
    woken = threading.Event()
    matcher = SearchBeside("x", lambda text: b"x" in text, woken.set, reports.append)
    for _ in range(20):
        matcher.feed(b"not yet\n")
    matcher.feed(b"x")
    assert woken.wait(PATIENCE)
    assert reports == []


def test_what_waits_for_a_thread_is_searched_once_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as none_is_had:
        none_is_had.setattr(match_thread, "start_thread", refuse)
        matcher = matcher_of("([ab]{50}){3}|listening")
        assert is_beside(matcher)
        assert matcher.feed(b"listening\n") is False
    assert wait_for(matcher, lambda: b"")


def test_after_one_that_has_not_the_memory_to_go_on_there_is_another_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    died: list[object] = []

    def short(text: bytes) -> bool:
        if not died:
            raise MemoryError
        return b"x" in text

    monkeypatch.setattr(sys, "unraisablehook", died.append)
    matcher = SearchBeside("x", short, lambda: None, lambda _: None)
    assert matcher.feed(b"not yet\n") is False
    wait_until(lambda: died, what="the end of the thread")
    wait_until(lambda: matcher.feed(b"x"), what="a match")


def test_a_pattern_that_turns_out_slow_goes_on_beside_and_still_finds() -> None:
    matcher = matcher_of("[ab]*a[ab]{48}c")
    woken = threading.Event()
    matcher.wake = woken.set
    assert not is_beside(matcher)
    assert matcher.feed(noise(WINDOW)) is False
    assert is_beside(matcher)
    matcher.feed(noise(WINDOW))
    matcher.feed(b"a" * 49 + b"c\n")
    assert woken.wait(PATIENCE)
    assert matcher.feed(b"") is True


def wait_for(matcher: PatternMatcher, feed: Callable[[], bytes]) -> bool:
    return wait_until(lambda: matcher.feed(feed()), PATIENCE, "a match")
