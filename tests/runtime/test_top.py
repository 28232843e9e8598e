"""``bundlevisor top`` and ``status --watch`` as installed, on a real terminal, with keys."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.testing import Bundle, Runtime
from bundlevisor.testing.spawned import installed
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the terminal is a pty")

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command on a pseudo-terminal of 80 columns, with what it has shown so far."""

    def __init__(self, command: list[str]) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.mode = termios.tcgetattr(theirs)
        env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env
        )
        self.theirs = theirs
        self.shown = ""
        os.set_blocking(self._ours, False)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> str:
        """Return everything from here to a text, once it is shown."""
        wait_until(lambda: text in self._read(), what=f"{text!r} on the terminal")
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def _read(self) -> str:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 1 << 16):
                self.shown = COLOURS.sub("", self.shown + data.decode("utf-8", "replace"))
        return self.shown

    def ended(self) -> int:
        """Return its exit code; its last words may be on their way through the terminal."""
        wait_until(lambda: self._read() is None or self.process.poll() is not None, what="its end")
        return int(self.process.returncode)

    def left(self, saying: str = "") -> bool:
        """Whether it has gone back from its own screen, and said this then."""
        screen, _, behind = self._read().rpartition("\x1b[?1049l")
        return bool(screen) and saying in behind

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self.theirs)


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with Runtime(Bundle(tmp_path).service("db").service("api", needs=["db"])) as running:
        running.wait_ready()
        yield running


@contextlib.contextmanager
def terminal(runtime: Runtime, *words: str) -> Iterator[Terminal]:
    opened = Terminal([*installed(), *words, "--app-data", str(runtime.bundle.app_data)])
    try:
        yield opened
    finally:
        opened.close()


def test_keys_choose_restart_stop_and_read_and_the_terminal_is_as_before(runtime: Runtime) -> None:
    import termios

    before = runtime.service("api").pid
    runtime.service("db").order("say", "hello \x1b[2Jfrom db")
    with terminal(runtime, "top") as shown:
        shown.until("> db")
        shown.type("j")
        shown.until("> api")
        shown.type("r")
        runtime.wait(lambda: runtime.service("api").details.get("pid") not in (before, None), "api")
        shown.type("k")
        shown.until("> db")
        shown.type("l")
        shown.until("hello ^[[2Jfrom db")
        shown.type("x")
        shown.until("SERVICE")
        shown.type("s")
        runtime.service("db").wait_state("stopped")
        shown.until("stopped")
        shown.type("e")
        shown.until("bundlevisor start db")
        shown.type("xq")
        assert shown.ended() == 0
        wait_until(shown.left, what="the screen from before")
        assert termios.tcgetattr(shown.theirs) == shown.mode


def test_ctrl_c_and_the_end_of_the_instance_leave_a_terminal_that_is_whole(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        with terminal(runtime, "status", "--watch") as watched, terminal(runtime, "top") as shown:
            shown.until("> db")
            shown.process.send_signal(signal.SIGINT)
            assert shown.ended() == 0
            wait_until(shown.left, what="the screen from before")
            watched.until("db")
            runtime.stop()
            assert watched.ended() == 0
            told = "the instance has ended"
            wait_until(lambda: watched.left(told), what="why, where it stays to be read")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGQUIT"])
def test_who_is_killed_leaves_a_terminal_that_is_whole(runtime: Runtime, name: str) -> None:
    import termios

    with terminal(runtime, "status", "--watch") as watched, terminal(runtime, "top") as shown:
        watched.until("db")
        shown.until("> db")
        for one in (watched, shown):
            one.process.send_signal(signal.Signals[name])
            assert one.ended() == 0
            wait_until(one.left, what="the screen from before")
        assert termios.tcgetattr(shown.theirs) == shown.mode


def test_a_pipe_gets_the_table_whenever_it_differs(runtime: Runtime) -> None:
    command = [*installed(), "status", "--watch", "--app-data", str(runtime.bundle.app_data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        lines = iter(watching.stdout.readline, "")
        assert any("ready" in line for line in lines)
        runtime.service("api").stop()
        text = next(line for line in lines if "stopped" in line)
        assert not ESCAPES.search(text)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0


def test_a_program_that_watches_gets_json_to_the_end(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        app_data = str(runtime.bundle.app_data)
        command = [*installed(), "status", "--watch", "--json", "--app-data", app_data]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as watching:
            assert watching.stdout is not None
            first = watching.stdout.readline()
            runtime.stop()
            rest, told = watching.communicate(timeout=60)
    assert all("services" in json.loads(line) for line in [first, *rest.splitlines()])
    assert "the instance has ended" in told


def test_without_a_terminal_top_says_what_to_use(runtime: Runtime) -> None:
    told = subprocess.run(
        [*installed(), "top", "--app-data", str(runtime.bundle.app_data)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert told.returncode == 1
    assert "bundlevisor status" in told.stderr
