"""Ctrl-Z and ``fg`` of a command that holds the terminal: the shell has it whole, then it again."""

from __future__ import annotations

import os
import sys

import pytest

from tests.control.commands import Cli
from tests.control.fake_runtime import FakeRuntime
from tests.installed import COMMAND

if sys.platform == "win32":
    pytest.skip("job control is of POSIX", allow_module_level=True)

SHELL = """
import os, signal, sys, termios
usual = termios.tcgetattr(0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
if not (job := os.fork()):
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
os.waitpid(job, os.WUNTRACED)
os.tcsetpgrp(0, os.getpid())
echo = termios.tcgetattr(0)[3] & termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, usual)
print("suspended with echo" if echo else "suspended without echo", flush=True)
os.tcsetpgrp(0, job)
os.kill(job, signal.SIGCONT)
print("ended with", os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]), flush=True)
"""
"""As bash does: what is continued finds the shell's modes."""


class Session:
    """A command that a shell runs as its job on a terminal."""

    def __init__(self, cli: Cli, *words: str) -> None:
        import pty

        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            command = [*COMMAND, *words, "--app-data", str(cli.app_data)]
            os.execve(
                sys.executable,
                [sys.executable, "-c", SHELL, *command],
                {**os.environ, "TERM": "xterm"},
            )
        self.rest = b""

    def until(self, text: bytes) -> bytes:
        """Return what is shown from here to a text; an error when all has ended without it."""
        while text not in self.rest:
            self.rest += os.read(self.terminal, 1000)
        shown, _, self.rest = self.rest.partition(text)
        return shown

    def type(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def close(self) -> None:
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def test_a_secret_is_not_echoed_when_its_question_goes_on(cli: Cli, runtime: FakeRuntime) -> None:
    session = Session(cli, "secrets", "set", "api_key")
    session.until(b"Key: ")
    session.type(b"\x1a")
    session.until(b"suspended with echo")
    session.until(b"Key: ")
    session.type(b"k-hidden\n")
    assert b"hidden" not in session.until(b"ended with 0")
    assert runtime.stored["api_key"] == "k-hidden"
    session.close()


def test_top_gives_the_shell_its_screen_and_comes_back(cli: Cli, runtime: FakeRuntime) -> None:
    del runtime
    session = Session(cli, "top")
    session.until(b"q quit")
    session.type(b"\x1a")
    session.until(b"\x1b[?1049l")
    session.until(b"suspended with echo")
    session.until(b"\x1b[?1049h")
    session.type(b"q")  # a key, without Enter
    session.until(b"\x1b[?1049l")
    session.until(b"ended with 0")
    session.close()
