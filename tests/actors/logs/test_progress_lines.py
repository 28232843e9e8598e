"""Lines that say how far a service is, and the last line that a person may read."""

from __future__ import annotations

import itertools
import os

import pykka
import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.logs import pipes
from bundlevisor.actors.logs.intake import Intake
from bundlevisor.actors.logs.last_line import LONGEST, last_line, readable
from bundlevisor.actors.logs.progress_lines import LONGEST as LONGEST_LINE, ProgressLines, parse
from bundlevisor.actors.logs.redact import Redactor
from bundlevisor.actors.loop.loop_actor import LoopActor, Teller
from bundlevisor.actors.loop.reactor import Loop
from tests.actors.logs.bench import Bench


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"::progress 40 loading model", ("loading model", 0.4)),
        (b"::progress 40", ("", 0.4)),
        (b"::progress 40%\tloading\r", ("loading", 0.4)),
        (b"::progress 12.5 a", ("a", 0.125)),
        (b"::progress 56.25000000000001 a", ("a", 0.5625000000000001)),
        (b"::progress 0 a", ("a", 0.0)),
        (b"::progress 100", ("", 1.0)),
        (b"::progress 7 \x1b[31mred\x1b[0m \xff\x07", ("red \ufffd^G", 0.07)),
        (b"::progress 101 a", None),
        (b"::progress -1 a", None),
        (b"::progress nan", None),
        (b"::progress", None),
        (b"::progressing 40", None),
        (b" ::progress 40", None),
        (b"::progress 40x", None),
        (b"::progress 1" + b"0" * 5000, None),
    ],
)
def test_a_line_says_per_cent_and_words(line: bytes, said: tuple[str, float] | None) -> None:
    assert parse(line) == said


def intake(*secrets: tuple[str, bytes]) -> tuple[Intake, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    redactor = Redactor(secrets) if secrets else None
    made = Intake("i", redactor, lambda text, share: told.append((text, share)))
    return made, told


OUTPUT = b"a: b\n::progress 10 one\nc::progress 20 no\n\n::progress 30 two\nx ::progress 9\n:"


@given(st.lists(st.integers(0, len(OUTPUT)), max_size=8))
def test_output_says_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    made, told = intake()
    bounds = [0, *sorted(cuts), len(OUTPUT)]
    for begin, end in itertools.pairwise(bounds):
        made.show(OUTPUT[begin:end])
    assert told[-1] == ("two", 0.3)
    assert [one for one in told if one not in (("one", 0.1), ("two", 0.3))] == []


def test_what_is_not_a_line_yet_says_nothing() -> None:
    made, told = intake()
    made.show(b"::progress 4")
    assert told == []
    made.show(b"0 loading\n")
    assert told == [("loading", 0.4)]


def test_a_line_without_end_is_let_go_and_hides_no_other() -> None:
    made, told = intake()
    for _ in range(10):
        made.show(b"::" + b"x" * 1000)
    made.show(b"\n::progress 50 on\n")
    assert told == [("on", 0.5)]


def test_secrets_are_hidden_in_what_is_said() -> None:
    made, told = intake(("key", b"hunter22"))
    made.show(b"::progress 5 with hun")
    made.show(b"ter22 at hand\n")
    assert told == [("with [secret:key] at hand", 0.05)]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (b"one\ntwo\n", "two"),
        (b"one\ntw", "tw"),
        (b"one\n\n  \n", "one"),
        (b"10%\r20%\r30%\r", "30%"),
        (b"real\n::progress 5 shown elsewhere\n", "real"),
        (b"\x1b[32mok\x1b[0m\n", "ok"),
        (b"\xff\x1b]0;title\x07\n", "\ufffd^[]0;title^G"),
        (b"x" * 500, "x" * (LONGEST - 1) + "…"),
        (b"", ""),
    ],
)
def test_the_last_line_is_one_that_a_person_can_read(output: bytes, line: str) -> None:
    assert last_line(output) == line


def test_a_line_of_the_longest_is_heard_and_a_longer_one_with_what_follows_is_not() -> None:
    said: list[tuple[str, float]] = []
    lines = ProgressLines(lambda *one: said.append(one), at_start=True)
    begin = b"::progress 40 "
    lines.feed(begin + b"x" * (LONGEST_LINE - len(begin)))
    lines.feed(b"\n" + begin + b"y" * LONGEST_LINE)
    assert [fraction for _, fraction in said] == [0.4]
    lines.feed(b"::progress 50 of that line\n")
    lines.feed(b"::progress 60\r\n")
    assert said[1:] == [("", 0.6)]


def test_a_text_of_the_longest_is_whole_and_line_ends_in_it_are_blanks() -> None:
    assert readable(b"x" * LONGEST) == "x" * LONGEST
    cut = readable(b"x" * (LONGEST + 1))
    assert cut == "x" * (LONGEST - 1) + "…"
    assert readable(b"a\nb") == "a b"


def test_a_line_that_an_actor_which_is_gone_should_hear_is_in_the_log(
    bench: Bench, loop: Loop
) -> None:
    gone = LoopActor.start(loop)
    gone.stop()
    with pytest.raises(pykka.ActorDeadError):
        gone.tell("anything")
    read, write = pipes.make()
    teller = Teller(gone)
    bench.stream.attach(read, "one", on_progress=lambda *_: teller.tell("said"))
    os.write(write, b"::progress 40 loading\n")
    os.close(write)
    bench.until_end()
    assert bench.path.read_bytes() == b"::progress 40 loading\n"
