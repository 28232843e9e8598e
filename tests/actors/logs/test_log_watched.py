"""What is looked for in a log while it is written: patterns, and secrets that are hidden."""

from __future__ import annotations

import os

from bundlevisor.actors.logs.redact import Redactor
from tests.actors.logs.bench import (
    PATIENCE,
    Bench,
    close,
)
from tests.waiting import wait_until


def test_a_pattern_is_looked_for_in_this_incarnation_only_and_told_once(bench: Bench) -> None:
    os.close(bench.write(b"ready in an earlier life\n"))
    bench.until_end()
    told: list[str] = []
    bench.stream.watch("two", bench.matcher("^ready"), told.append)
    write = bench.write(b"starting\nrea", "two")
    bench.drain("two")
    assert told == []
    os.write(write, b"dy now\n")
    wait_until(lambda: told, PATIENCE, "the match")
    os.write(write, b"ready again\n")
    bench.drain("two")
    assert told == ["two"]
    os.close(write)


def test_the_first_byte_of_an_incarnation_is_looked_at(bench: Bench) -> None:
    told: list[str] = []
    bench.stream.watch("one", bench.matcher("^up$"), told.append)
    bench.start("print('up')")
    bench.until_end()
    assert told == ["one"]


def test_a_pattern_that_is_asked_for_late_is_looked_for_in_the_last_lines_too(
    bench: Bench,
) -> None:
    write = bench.write(b"up\n")
    bench.drain()
    told: list[str] = []
    bench.stream.watch("one", bench.matcher("^up$"), told.append)
    wait_until(lambda: told, PATIENCE, "the match")
    os.close(write)


def test_a_matcher_that_answers_late_is_heard_without_more_output(bench: Bench) -> None:
    told: list[str] = []
    large = bench.matcher("^up$|a{1000}")  # its program is not for the log's thread
    bench.stream.watch("one", large, told.append)
    write = bench.write(b"up\n")
    wait_until(lambda: told, PATIENCE, "the match")
    os.close(write)


def test_two_patterns_of_one_incarnation_are_told_each(bench: Bench) -> None:
    told: list[str] = []
    bench.stream.watch("one", bench.matcher("^b$"), lambda _: told.append("b"))
    bench.stream.watch("one", bench.matcher("^a$"), lambda _: told.append("a"))
    write = bench.write(b"a\n")
    wait_until(lambda: told == ["a"], PATIENCE, "the first match")
    os.write(write, b"b\n")
    wait_until(lambda: told == ["a", "b"], PATIENCE, "the second match")
    os.close(write)


def test_a_secret_is_in_no_log_no_tail_and_no_follower(bench: Bench) -> None:
    secret = b"hunter2-hunter2"
    follower = bench.stream.follow()
    write = bench.write(b"key " + secret[:6], redactor=Redactor([("KEY", secret)]))
    bench.drain()
    assert bench.stream.tail("one") == b"key [secret:KEY]"
    assert bench.path.read_bytes() == b"key "
    os.write(write, secret[6:] + b"\nagain " + secret + b"\nhalf " + secret[:8])
    os.close(write)
    bench.until_end()
    shown = b"key [secret:KEY]\nagain [secret:KEY]\nhalf [secret:KEY]"
    assert bench.path.read_bytes() == shown
    assert bench.stream.tail("one") == shown
    close(bench.stream)
    followed = b""
    while (data := follower.read(PATIENCE)) is not None:
        followed += data
    assert followed == shown
