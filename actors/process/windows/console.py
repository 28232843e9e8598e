"""CTRL_BREAK: the only stop signal that Windows has for a process without a window.

It reaches a process group through the console that sender and group share. A runtime in a
terminal, or started with a hidden console, lets its services share that one. A runtime without any
(a detached one, or a program for the desktop) joins the hidden console of a child first: so its
children share that, and none of them flashes a window. Python's os.kill and Popen.send_signal are
of no use here: where the event fails they terminate the target.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from ctypes import byref, wintypes

from bundlevisor.actors.process.windows import api

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

CLOSING = (2, 5, 6)
"""CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT."""

_handlers: list[object] = []


def present() -> bool:
    """Whether this process has a console, visible or not."""
    one = wintypes.DWORD()
    return bool(api.kernel32.GetConsoleProcessList(byref(one), 1))


@functools.cache
def ready() -> bool:
    """Join a hidden console if there is none; whether there is one now. The first call decides."""
    return present() or _join_hidden()


def spawn_flags() -> int:
    """Return CreateProcessW's flags for a child that can be told to stop and flashes no window."""
    if ready():
        return subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW


def send_break(leader: int) -> bool:
    """Send CTRL_BREAK to the group of a leader that is known to be alive; False when impossible.

    A leader that has ended must not be named: its number may mean every process of the console.
    """
    if leader <= 0 or not present():
        return False
    return bool(api.kernel32.GenerateConsoleCtrlEvent(api.CTRL_BREAK_EVENT, leader))


def _join_hidden() -> bool:
    """Attach to the console of a child made for that; it stays when the child has gone."""
    shell = os.path.join(os.environ["SYSTEMROOT"], "System32", "cmd.exe")
    try:
        child = subprocess.Popen(
            [shell, "/d", "/q", "/c", "echo.& set /p stay="],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
    except OSError:
        return False
    with child:
        assert child.stdin  # noqa: S101 - PIPE
        assert child.stdout  # noqa: S101 - PIPE
        child.stdout.readline()  # it runs, so its console exists
        joined = bool(api.kernel32.AttachConsole(child.pid))
        child.stdin.close()
    return joined


def watch_close(on_close: Callable[[], None]) -> None:
    """Call ``on_close`` when the console's window is closed or the user logs off.

    Windows ends the process about 5 s after that, or as soon as the handler returns: so it does
    not return.
    """

    def handle(event: int) -> bool:
        if event not in CLOSING:
            return False
        on_close()
        threading.Event().wait()
        return True

    handler = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(handle)
    _handlers.append(handler)
    api.kernel32.SetConsoleCtrlHandler(handler, True)
