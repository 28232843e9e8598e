from __future__ import annotations

import builtins
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.actors.logs import match_process, match_thread
from bundlevisor.actors.logs.line_search import WINDOW
from bundlevisor.actors.logs.match import BadPattern, Matcher, Re2Matcher, compile_pattern
from bundlevisor.actors.logs.match_process import ProcessMatcher
from bundlevisor.actors.logs.match_thread import SearchBeside
from tests.waiting import wait_until

PATIENCE = 30.0


def fed(pattern: str, *blocks: bytes) -> list[bool]:
    matcher = compile_pattern(pattern)
    return [matcher.feed(block) for block in blocks]


def test_re2_is_the_engine_and_comes_on_first_use_only() -> None:
    assert isinstance(compile_pattern("x"), Re2Matcher)
    import subprocess

    program = "import sys, bundlevisor.actors.logs.match; print('re2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


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
    assert wait_for(compile_pattern(r"\p{Greek}+ \pN"), "Ωμέγα 7\n".encode)
    assert fed(r"\QC++ (ready)\E", b"C++ (ready)\n") == [True]


def test_bytes_that_are_no_utf_8_are_any_character() -> None:
    assert fed("^.*ready", b"\xff\xfe\x80 ready\n") == [True]
    assert fed("^caf. ready$", "café".encode()[:-1], "é".encode()[1:] + b" ready\n")[-1] is True


def test_a_line_without_end_is_searched_in_a_window() -> None:
    matcher = compile_pattern("needle")
    for _ in range(20):
        assert matcher.feed(b"x" * WINDOW) is False
    assert matcher.feed(b"nee") is False
    assert matcher.feed(b"dle") is True
    assert len(matcher._lines._line) <= WINDOW  # type: ignore[attr-defined]


def test_a_match_stays_a_match() -> None:
    assert fed("ready", b"ready\n", b"other\n", b"") == [True, True, True]


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}"])
def test_what_is_no_pattern_is_refused_in_a_sentence(pattern: str) -> None:
    with pytest.raises(BadPattern, match="is not a regular expression"):
        compile_pattern(pattern)


def test_a_catastrophic_pattern_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        best = 60.0
        for _ in range(3):
            matcher = compile_pattern("(a+)+$")
            began = time.perf_counter()
            matcher.feed(b"a" * size + b"b\n" + b"a" * size + b"!")
            best = min(best, time.perf_counter() - began)
        return best

    # Backtracking would double with every letter; 32 times the text may take 32 times as long.
    assert seconds(1 << 20) < 32 * 20 * max(seconds(1 << 15), 1e-4)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("(?<=up )now", b"up now\n"), (r"(a)\1", b"aa\n"), ("a{1001}", b"a" * 1001)],
)
def test_what_only_python_takes_is_searched_in_another_process(pattern: str, text: bytes) -> None:
    matcher = compile_pattern(pattern)
    assert isinstance(matcher, ProcessMatcher)
    assert matcher.feed(b"not yet\n") is False
    assert wait_for(matcher, lambda: text)
    matcher.close()


STUBBORN = "[ab]*a" + "[ab]{1000}" * 20 + "c"
"""Linear in the text, with a factor of twenty thousand."""


def is_beside(matcher: Matcher) -> bool:
    """Whether the calling thread searches no more."""
    assert isinstance(matcher, Re2Matcher)
    return matcher._beside is not None


def noise(size: int) -> bytes:
    dice = random.Random(3)
    return bytes(dice.choice(b"ab") for _ in range(size))


def test_a_large_pattern_is_searched_beside_the_log_and_given_up_when_it_is_too_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(match_thread, "PATIENCE", 0.05)
    reports: list[str] = []
    matcher = compile_pattern(STUBBORN, reports.append)
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


def test_a_pattern_that_turns_out_slow_goes_on_beside_and_still_finds() -> None:
    matcher = compile_pattern("[ab]*a[ab]{48}c")
    woken = threading.Event()
    matcher.wake = woken.set
    assert not is_beside(matcher)
    assert matcher.feed(noise(WINDOW)) is False
    assert is_beside(matcher)
    matcher.feed(noise(WINDOW))
    matcher.feed(b"a" * 49 + b"c\n")
    assert woken.wait(PATIENCE)
    assert matcher.feed(b"") is True


def wait_for(matcher: Matcher, feed: Callable[[], bytes]) -> bool:
    return wait_until(lambda: matcher.feed(feed()), PATIENCE, "a match")


def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: Any, **named: Any) -> Any:
        if name == "re2":
            raise ImportError(name)
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_without_re2_another_process_searches_and_says_when_it_has_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_re2(monkeypatch)
    matcher = compile_pattern(r"^listening on [[:digit:]]+$")
    assert isinstance(matcher, ProcessMatcher)
    woken = threading.Event()
    matcher.wake = woken.set
    assert matcher.feed(b"boot\nlisten") is False
    matcher.feed(b"ing on 47001\n")
    assert woken.wait(PATIENCE)
    assert matcher.feed(b"") is True
    matcher.close()
    matcher._thread.join(PATIENCE)
    assert not matcher._thread.is_alive()


def test_without_re2_a_catastrophic_pattern_is_given_up_and_blocks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(match_process, "PATIENCE", 0.2)
    reports: list[str] = []
    matcher = ProcessMatcher("^(a+)+$", reports.append)
    began = time.monotonic()
    for _ in range(100):
        matcher.feed(b"a" * 40 + b"b\n")
    assert time.monotonic() - began < PATIENCE
    matcher._thread.join(PATIENCE)
    assert not matcher._thread.is_alive()
    assert reports == ["pattern '^(a+)+$' is not searched for any more: it took longer than 0.2 s"]
    assert matcher.feed(b"aaa\n") is False


def test_without_re2_a_matcher_that_is_let_go_ends_its_process() -> None:
    matcher = ProcessMatcher("never", lambda _: None)
    matcher.feed(b"something\n")
    matcher.close()
    matcher._thread.join(PATIENCE)
    assert not matcher._thread.is_alive()


def test_without_re2_a_pattern_that_python_cannot_search_is_refused() -> None:
    with pytest.raises(ValueError, match="google-re2"):
        ProcessMatcher("a**", lambda _: None)


def test_both_engines_find_the_same() -> None:
    dice = random.Random(5)
    patterns = ["^a+b$", "[ab]c", r"a\nb", "c$", r"\bab\b", "^$"]
    for pattern in patterns:
        compiled = match_process.translate(pattern)
        for _ in range(200):
            text = "".join(dice.choice("abc\n ") for _ in range(30)) + "\n"
            expected = compiled.search(text.rstrip("\n") + "\n") is not None
            if pattern != "^$":
                assert fed(pattern, text.encode()) == [expected]
