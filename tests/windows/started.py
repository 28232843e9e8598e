"""Services for the Windows tests: Python code, its output, its end.

They are spawned as the runtime does it, but without one: the kit starts whole runtimes only.
"""

from __future__ import annotations

import _winapi
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Mapping
from ctypes import wintypes

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import child_windows
from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.process.windows import exit_event
from bundlevisor.testing import deadline
from tests import waiting

assert sys.platform == "win32"

DEADLINE = deadline.WITHIN
LOOP = Loop("tests", lambda *_: None)
"""Does not turn: it would ask again for a thread where there was none."""
CTRL_CLOSE_EVENT = 2
SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
PARENT = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "time.sleep(600)\n"
)


def under_wine() -> bool:
    """Whether this is Wine, whose consoles differ from those of Windows."""
    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return once the condition holds; AssertionError that says what did not happen."""
    waiting.wait_until(condition, DEADLINE, what)


def is_alive(pid: int) -> bool:
    """Whether a process with this pid runs."""
    ended = threading.Event()
    exit_event.watch_process(LOOP, pid, ended.set)
    return not ended.wait(0.05)


def close_console(pid: int) -> None:
    """Do to one process what Windows does to all of a console whose window is closed.

    The system has each of them run CtrlRoutine(CTRL_CLOSE_EVENT) on a new thread; its address is
    the same everywhere. Returns when that has begun.
    """
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    start = kernel32.CreateRemoteThread
    start.restype = wintypes.HANDLE
    start.argtypes = (wintypes.HANDLE, *[ctypes.c_void_p] * 4, wintypes.DWORD, ctypes.c_void_p)
    routine = ctypes.cast(ctypes.WinDLL("kernelbase").CtrlRoutine, ctypes.c_void_p)
    process = _winapi.OpenProcess(_winapi.PROCESS_ALL_ACCESS, False, pid)
    thread = start(process, None, None, routine, CTRL_CLOSE_EVENT, 0, None)
    _winapi.CloseHandle(process)
    if not thread:
        raise ctypes.WinError(ctypes.get_last_error())
    _winapi.CloseHandle(thread)


class Started:
    """A child, the read end of its output, and an event that is set when it ends."""

    def __init__(self, child: child_windows.Child, read_end: int) -> None:
        self.child = child
        self.ended = threading.Event()
        self._lines = os.fdopen(read_end, "r", encoding="utf-8", errors="replace")
        child.watch_exit(LOOP, self.ended.set)

    def line(self) -> str:
        """Return the next line of its output, without the line's end; "" at the end of file."""
        return self._lines.readline().rstrip("\n")

    def rest(self) -> str:
        """Return the output up to its end: nobody holds the pipe any more."""
        return self._lines.read()

    def close(self) -> None:
        """Kill what is left and release everything."""
        self.child.kill()
        self.child.close()
        self._lines.close()


class Starter:
    """Starts services and remembers them."""

    def __init__(self) -> None:
        self._all: list[Started] = []

    def __call__(self, code: str, *arguments: str, env: Mapping[str, str] | None = None) -> Started:
        """Start Python code."""
        return self.program(sys.executable, "-c", code, *arguments, env=env)

    def program(
        self, *argv: str, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> Started:
        """Start any program; OSError when it does not start."""
        read_end, write_end = os.pipe()
        launch = SpawnRequest(
            argv=argv,
            env=dict(os.environ if env is None else env),
            cwd=cwd or os.getcwd(),
            output=write_end,
            instance="test",
        )
        try:
            child = child_windows.spawn(launch)
        except OSError:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        started = Started(child, read_end)
        self._all.append(started)
        return started

    def end_all(self) -> None:
        """Kill and release everything that was started."""
        for started in self._all:
            started.close()
