"""A start on a terminal, with the installed command: a bar while it goes on, and nothing after."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, starting, wait_until
from tests.control.terminal import Screen
from tests.installed import COMMAND

if sys.platform == "win32":
    pytest.skip("a terminal of POSIX", allow_module_level=True)

import fcntl
import termios

HELD = {"type": "notify"}
PLAIN = {"TERM": "xterm", "LC_ALL": "C", "NO_COLOR": ""}


BEGUN = re.compile(rb"\x1b(\[[0-9;]*)?\Z")
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


class Terminal:
    """One of 80 columns; what is written there is kept, and shown on a screen."""

    def __init__(self) -> None:
        self._ours, self.theirs = os.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.written = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # Linux: the other end is closed
            while data := os.read(self._ours, 1 << 16):
                self.written += data

    @property
    def lines(self) -> list[str]:
        """What is to be seen now; a sequence that has not come whole is not there yet."""
        return Screen().feed(BEGUN.sub(b"", self.written)).lines

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def close(self) -> None:
        os.close(self.theirs)
        self._thread.join(10)
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def held(tmp_path: Path) -> Bundle:
    made = bundle(tmp_path)
    made.service("db", "speaks", ports=(), readiness=HELD, health=None, options=orders(tmp_path))
    return made.service("api", deps=["db"]).write()


def orders(folder: Path) -> dict[str, object]:
    return {"orders": folder / "orders"}


def order(made: Bundle, text: str) -> None:
    with (made.root.parent / "orders").open("a") as file:
        file.write(f"{text}\n")


@contextlib.contextmanager
def on(terminal: Terminal, made: Bundle, env: Mapping[str, str] = PLAIN) -> Iterator[Run]:
    with starting(made, output=terminal.theirs, env={**PLAIN, **env}) as run:
        run.await_files()
        yield run


def test_a_start_is_shown_until_it_is_over(terminal: Terminal, held: Bundle) -> None:
    with on(terminal, held) as run:
        order(held, "print loading weights")
        order(held, "print ::progress 40 loading model")
        for text in (
            *(" %  0 of 2 ready", "loading model (40 %)", "  loading weights"),
            "waiting     for db",
        ):  # each for itself: a look may come in the midst of its being drawn
            wait_until(partial(terminal.shows, text), what=text)
        assert all(len(line) < 80 for line in terminal.lines if line.startswith("  "))
        order(held, "print ::progress 100")
        run.until_ready()
        wait_until(lambda: terminal.shows("ready after "), what="the last word on the start")
        wait_until(lambda: not terminal.shows("of 2 ready"), what="the bar is gone")
        for said in ("db is ready", "api is ready"):
            assert sum(said in line for line in terminal.lines) == 1


def test_a_start_that_is_ended_leaves_no_bar(terminal: Terminal, held: Bundle) -> None:
    with on(terminal, held) as run:
        wait_until(lambda: terminal.shows("of 2 ready"), what="the bar")
        run.process.terminate()
        assert run.wait_gone() == 0
        wait_until(lambda: terminal.shows("stopped ("), what="the end")
        assert not terminal.shows("of 2 ready")


@pytest.mark.parametrize(
    ("env", "bar", "colours"),
    [({}, True, True), ({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, False, False)],
)
def test_a_terminal_is_taken_as_it_is(
    terminal: Terminal, held: Bundle, env: dict[str, str], bar: bool, colours: bool
) -> None:
    with on(terminal, held, env) as run:
        order(held, "print ::progress 40 loading model")
        if bar:
            wait_until(lambda: terminal.shows("loading model"), what="the bar")
        order(held, "print ::progress 100")
        run.until_ready()
        wait_until(lambda: terminal.shows("ready after "), what="the last word on the start")
    assert (b"\x1b[J" in terminal.written) == bar
    assert bool(COLOUR.search(terminal.written)) == colours


def test_nothing_is_drawn_into_a_pipe(held: Bundle) -> None:
    with running(held) as run:
        order(held, "print ::progress 100")
        run.until_ready()
        wait_until(lambda: "ready after" in run.stderr, what="the last word on the start")
        assert "\x1b" not in run.stderr
        assert "of 2 ready" not in run.stderr


def test_who_waits_for_an_instance_sees_how_far_it_is(terminal: Terminal, held: Bundle) -> None:
    with running(held) as run:
        words = [*COMMAND, "ready", "--wait", "60", "--app-data", str(run.app_data)]
        with subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=terminal.theirs,
            env={**os.environ, **PLAIN},
        ) as waiting:
            order(held, "print ::progress 40 loading model")
            wait_until(lambda: terminal.shows("loading model (40 %)"), what="the service's line")
            order(held, "print ::progress 100")
            out, _ = waiting.communicate(timeout=60)
        assert (waiting.returncode, out) == (0, b"ready: 2 services\n")
        wait_until(lambda: not terminal.shows("of 2 ready"), what="the bar is gone")


def test_who_waits_into_a_pipe_sees_only_the_answer(held: Bundle) -> None:
    with running(held) as run:
        order(held, "print ::progress 100")
        words = [*COMMAND, "ready", "--wait", "60", "--app-data", str(run.app_data)]
        done = subprocess.run(words, capture_output=True, check=False, timeout=90)
        assert (done.stdout, done.stderr) == (b"ready: 2 services\n", b"")
