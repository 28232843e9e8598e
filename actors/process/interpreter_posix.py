"""multiprocessing's way to spawn on POSIX, for a child that can do without its parent at once.

What the child needs stands in its pipe before it is started, as far as it fits: a parent that is
killed in the moment after the start does not take a guardian with it.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from multiprocessing import context, popen_spawn_posix, reduction, spawn, util
from multiprocessing.process import BaseProcess
from typing import Any

from bundlevisor.actors.process.spawn_preparation import preparation

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs


class InterpreterPopen(popen_spawn_posix.Popen):
    """A child that inherits its pipe, filled, and what is pickled; it knows of no main file."""

    def __init__(self, process_obj: BaseProcess) -> None:
        self._inherited: list[int] = []
        super().__init__(process_obj)

    def duplicate_for_child(self, fd: int) -> int:
        """Note a descriptor that is pickled, to be inherited."""
        self._inherited.append(fd)
        return fd

    def _launch(self, process_obj: BaseProcess) -> None:
        pickled = self._pickled(process_obj)
        with ExitStack() as ours, ExitStack() as the_childs:
            reading, writing = os.pipe()
            ours.callback(os.close, writing)
            the_childs.callback(os.close, reading)
            self.sentinel, living = os.pipe()
            the_childs.callback(os.close, living)
            self.finalizer = util.Finalize(self, os.close, (self.sentinel,))
            rest = _fill(writing, pickled)
            line = spawn.get_command_line(pipe_handle=reading)
            fds = [*self._inherited, reading, living]
            self.pid = util.spawnv_passfds(os.fsencode(spawn.get_executable()), line, fds)
            the_childs.close()  # else there would be a reader as long as there is a writer
            _deliver(writing, rest)

    def _pickled(self, process_obj: BaseProcess) -> bytes:
        buffer = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(preparation(process_obj.name), buffer)
            reduction.dump(process_obj, buffer)
        finally:
            context.set_spawning_popen(None)
        return buffer.getvalue()


class InterpreterProcess(context.SpawnProcess):
    """A Process of multiprocessing whose child never imports what this process was started by."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - multiprocessing's name
        return InterpreterPopen(process_obj)


def _fill(pipe: int, data: bytes) -> bytes:
    """Write what the pipe holds; return the rest."""
    os.set_blocking(pipe, False)
    try:
        written = os.write(pipe, data)
    except BlockingIOError:
        written = 0
    os.set_blocking(pipe, True)
    return data[written:]


def _deliver(pipe: int, rest: bytes) -> None:
    """Write it all; a child that is dead already shows by its exit status."""
    try:
        while rest:
            rest = rest[os.write(pipe, rest) :]
    except BrokenPipeError:
        return
