"""multiprocessing's way to spawn, for a child that can do without its parent from the first moment.

The stock one has the child take a pipe out of the parent's process when it has come up: a parent
that was ended before that (a second or two in a frozen program) takes the guardian with it. Here
the child inherits the pipe, and all that it needs stands in it when ``start`` returns.
"""

from __future__ import annotations

import _winapi
import msvcrt
import os
import subprocess
import sys
from multiprocessing import context, popen_spawn_win32, reduction, spawn, util
from multiprocessing.process import BaseProcess
from typing import Any

from bundlevisor.actors.process.spawn_preparation import preparation

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

ROOM = 1 << 18
"""Bytes that the pipe holds: more than a pickled process, so that writing it never waits."""


class InheritingPopen(popen_spawn_win32.Popen):
    """A child that inherits the pipe with its own description, and nothing else."""

    def __init__(self, process_obj: BaseProcess) -> None:
        reading, writing = _pipe()
        with open(msvcrt.open_osfhandle(writing, os.O_NOINHERIT), "wb") as to_child:
            try:
                made = _create(spawn.get_command_line(pipe_handle=reading), reading)
            finally:
                _winapi.CloseHandle(reading)
            process, thread, self.pid, _ = made
            _winapi.CloseHandle(thread)
            self.returncode = None
            self._handle = process
            self.sentinel = int(process)
            self.finalizer = util.Finalize(self, _winapi.CloseHandle, (self.sentinel,))
            context.set_spawning_popen(self)
            try:
                reduction.dump(preparation(process_obj.name), to_child)
                reduction.dump(process_obj, to_child)
            finally:
                context.set_spawning_popen(None)


class InterpreterProcess(context.SpawnProcess):
    """A Process of multiprocessing whose child outlives this process, whenever that ends."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - multiprocessing's name
        return InheritingPopen(process_obj)


def _pipe() -> tuple[int, int]:
    """Return a pipe of which only the reading end can be inherited."""
    reading, writing = _winapi.CreatePipe(None, ROOM)
    os.set_handle_inheritable(reading, True)
    return reading, writing


def _create(line: list[str], inherited: int) -> tuple[int, int, int, int]:
    executable, env = spawn.get_executable(), dict(os.environ)
    if popen_spawn_win32.WINENV and executable == sys.executable:
        # The interpreter of a virtual environment only starts another one, whose handles these
        # would not be.
        executable = line[0] = sys._base_executable  # type: ignore[attr-defined]
        env["__PYVENV_LAUNCHER__"] = sys.executable
    startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [inherited]})
    command = subprocess.list2cmdline(line)
    return _winapi.CreateProcess(executable, command, None, None, True, 0, env, None, startup)
