"""The foot of a terminal: it stays below what is written, and is gone when the start is over."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

if sys.platform == "win32":
    pytest.skip("a terminal of POSIX", allow_module_level=True)

import fcntl
import termios

from bundlevisor.actors.core.progress import Progress, Work
from bundlevisor.control.cli.start_view import StartView
from tests.control.terminal import Screen


def progress(*services: str) -> Progress:
    works = tuple(
        Work(service=id_, phase="probing", text=f"{id_} is loading its data", elapsed_s=1.0)
        for id_ in services
    )
    return Progress(fraction=0.5, done=0, total=len(works), working_on=works)


def set_size(file: TextIO, columns: int) -> None:
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LC_ALL", "C")
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as opened:
        set_size(opened, 80)
        yield opened
    os.close(ours)


def test_lines_stand_above_and_nothing_is_left(file: TextIO) -> None:
    view, screen = StartView(file), Screen()
    screen.feed(b"before\n")
    view.progress = progress("db", "api")
    screen.feed(view.around(b""))
    assert screen.lines[0] == "before"
    assert [line.split()[0] for line in screen.lines[2:4]] == ["db", "api"]
    screen.feed(view.around(b"db is ready\n"))
    view.progress = progress("api")
    screen.feed(view.around(b""))
    assert screen.lines[:2] == ["before", "db is ready"]
    assert [line.split()[0] for line in screen.lines[3:-1]] == ["api"]
    view.progress = None
    screen.feed(view.around(b"all is ready\n"))
    assert screen.lines == ["before", "db is ready", "all is ready", ""]


def test_what_has_not_changed_is_not_written_again(file: TextIO) -> None:
    view = StartView(file)
    view.progress = progress("db")
    assert view.around(b"")
    assert view.around(b"") == b""


def test_a_terminal_that_became_narrower_is_left_clean(file: TextIO) -> None:
    view, screen = StartView(file), Screen()
    screen.feed(b"before\n")
    view.progress = progress("db", "api")
    screen.feed(view.around(b""))
    set_size(file, 30)
    screen.resize(30)
    view.progress = progress("api")
    screen.feed(view.around(b"line\n"))
    assert screen.lines[:2] == ["before", "line"]
    assert all(len(line) < 30 for line in screen.lines)
    view.progress = None
    screen.feed(view.around(b""))
    assert screen.lines == ["before", "line", ""]


def test_a_tiny_terminal_is_left_alone(file: TextIO) -> None:
    set_size(file, 10)
    view = StartView(file)
    view.progress = progress("db")
    assert view.around(b"line\n") == b"line\n"


IN_BACKGROUND = """
import os, sys
from bundlevisor.control.cli.start_view import StartView
from tests.control.test_start_view import progress
def drawn():
    view = StartView(sys.stderr)
    view.progress = progress("db")
    return bool(view.around(b""))
first = drawn()
if not (job := os.fork()):
    os.setpgid(0, 0)
    os._exit(drawn())
behind = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
print("drawn:", first, bool(behind))
"""


def test_nothing_is_drawn_where_another_program_has_the_terminal() -> None:
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", IN_BACKGROUND])
    shown = b""
    while b"drawn: True False\r\n" not in shown:
        shown += os.read(terminal, 1000)  # an error when it has ended without
    os.waitpid(pid, 0)
    os.close(terminal)


def test_letters_are_those_of_the_locale(file: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    view = StartView(file)
    view.progress = progress("db")
    assert view.around(b"").isascii()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    view = StartView(file)
    view.progress = progress("db")
    assert "█" in view.around(b"").decode()
