"""CTRL_BREAK: the only stop signal that Windows has for a process without a window.

It reaches a process group through the console that sender and group share. A runtime in a terminal
(or started with a hidden console) lets services share its own; a runtime without any gives each a
hidden one and visits it for the length of the call. Python's os.kill and Popen.send_signal are of
no use here: where the event fails they terminate the target.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable
from ctypes import byref, wintypes

from actors.process import windows_api as api

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

CLOSING = (2, 5, 6)
"""CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT."""

_visiting = threading.Lock()
_handlers: list[object] = []


def present() -> bool:
    """Whether this process has a console, visible or not."""
    one = wintypes.DWORD()
    return bool(api.kernel32.GetConsoleProcessList(byref(one), 1))


def spawn_flags() -> int:
    """Return CreateProcessW's flags for a child that can be told to stop and flashes no window."""
    if present():
        return subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW


def send_break(leader: int) -> bool:
    """Send CTRL_BREAK to the group of a leader that is known to be alive; False when impossible.

    A leader that has ended must not be named: its number may mean every process of the console.
    """
    if leader <= 0:
        return False
    with _visiting:
        if present():
            return _generate(leader)
        if not api.kernel32.AttachConsole(leader):
            return False
        try:
            return _generate(leader)
        finally:
            api.kernel32.FreeConsole()


def _generate(group: int) -> bool:
    return bool(api.kernel32.GenerateConsoleCtrlEvent(api.CTRL_BREAK_EVENT, group))


def watch_close(told: Callable[[], None]) -> None:
    """Call ``told`` when the console's window is closed or the user logs off.

    Windows ends the process about 5 s after that, or as soon as the handler returns: so it does
    not return.
    """

    def handle(event: int) -> bool:
        if event not in CLOSING:
            return False
        told()
        threading.Event().wait()
        return True

    handler = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(handle)
    _handlers.append(handler)
    api.kernel32.SetConsoleCtrlHandler(handler, True)
