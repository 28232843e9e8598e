"""Starting the UI server on POSIX: a session of its own, by vfork and exec."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import spawn as method

from bundlevisor.actors.process import child_posix, tree
from bundlevisor.actors.ui_server.parent.inherited import InheritedFd
from bundlevisor.actors.ui_server.parent.spawned import Spawned
from bundlevisor.manifest.format.variables import MARK

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs


class Spawning:
    """Collects the descriptors that are pickled, to be inherited."""

    DupFd = InheritedFd
    pid = 0

    def __init__(self) -> None:
        self.fds: list[int] = []

    def duplicate_for_child(self, fd: int) -> int:
        """Note a descriptor; pickling asks for this."""
        self.fds.append(fd)
        return fd


def spawn(pickled: Callable[[Spawning], bytes], output: int, env: dict[str, str]) -> Spawned:
    """Start the child and hand it its pickled self through a pipe; OSError."""
    spawning = Spawning()
    arguments = pickled(spawning)
    read, write = os.pipe()
    try:
        child = _start(read, (read, *spawning.fds), output, env)
    except BaseException:
        os.close(write)
        raise
    finally:
        os.close(read)
    _deliver(write, arguments)
    return Spawned(child, _nothing_kept)


def _start(read: int, fds: tuple[int, ...], output: int, env: dict[str, str]) -> child_posix.Child:
    with tree.TreeStart() as begun:
        started = subprocess.Popen(
            method.get_command_line(pipe_handle=read),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            pass_fds=fds,
            start_new_session=True,
        )
        mark = env.get(MARK, "")
        return child_posix.Child(started.pid, started.poll, mark, begun.serial)


def _deliver(write: int, arguments: bytes) -> None:
    """Write it all; a child that is dead already shows by its exit status."""
    try:
        with open(write, "wb") as pipe:
            pipe.write(arguments)
    except BrokenPipeError:
        return


def _nothing_kept() -> None:
    """The child inherited its end of the pipe."""
