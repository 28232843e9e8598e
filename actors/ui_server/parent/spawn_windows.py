"""Starting the UI server on Windows: in the service's job; handles are duplicated by the child."""

from __future__ import annotations

import _winapi
import msvcrt
import os
import sys
from collections.abc import Callable
from multiprocessing import popen_spawn_win32, spawn as method

from bundlevisor.actors.process import child_windows
from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.ui_server.parent.spawned import Spawned
from bundlevisor.manifest.format.variables import MARK

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only


class Spawning:
    """Names the child: a socket is shared with a pid."""

    def __init__(self, pid: int) -> None:
        self.pid = pid


def spawn(pickled: Callable[[Spawning], bytes], output: int, env: dict[str, str]) -> Spawned:
    """Start the child; it takes the pipe from this process, and its pickled self from the pipe.

    It may take the pipe at any time, so our handle stays open until ``release``.
    """
    read, write = _winapi.CreatePipe(None, 0)
    kept = open(msvcrt.open_osfhandle(read, os.O_RDONLY), "rb", buffering=0)  # noqa: SIM115
    with open(msvcrt.open_osfhandle(write, 0), "wb") as pipe:
        try:
            child = child_windows.spawn(_launch(int(read), output, env))
        except BaseException:
            kept.close()
            raise
        try:
            pipe.write(pickled(Spawning(child.pid)))
            pipe.flush()
        except BrokenPipeError:
            pass  # it has ended already, which its exit status shows
    return Spawned(child, kept.close)


def _launch(read: int, output: int, env: dict[str, str]) -> SpawnRequest:
    line = method.get_command_line(parent_pid=os.getpid(), pipe_handle=read)
    if popen_spawn_win32.WINENV and line[0] == sys.executable:
        # The interpreter of a virtual environment only starts the base interpreter, whose pid it
        # is that handles and sockets have to be given to.
        line[0] = sys._base_executable  # type: ignore[attr-defined]
        env = env | {"__PYVENV_LAUNCHER__": sys.executable}
    return SpawnRequest(
        argv=tuple(line),
        env=env,
        cwd=os.getcwd(),
        output=output,
        instance=env.get(MARK, ""),
    )
