"""Processes on Windows: a job for each service, CTRL_BREAK to ask, TerminateJobObject to end."""

from __future__ import annotations

import _winapi
import functools
import msvcrt
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.process.windows import (
    api,
    command as windows_command,
    console,
    create_process as windows_spawn,
    exit_event,
    jobs,
    owned_handle,
)

if TYPE_CHECKING:
    from bundlevisor.actors.loop.reactor import Loop

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

__all__ = [
    "LEADER_ALONE",
    "SOCKET_ACTIVATION",
    "Child",
    "encode",
    "own",
    "spawn",
    "watch_process",
]

LEADER_ALONE = False
"""A console event reaches a whole process group."""

SOCKET_ACTIVATION = False
"""A listening socket cannot be handed over by number on Windows."""

watch_process = exit_event.watch_process


class Child:
    """The first process of a job that was spawned here, and everything that came out of it.

    As long as it is not closed, Windows gives ``pid`` to no other process. Any thread may ask: the
    one that waits for the leader's end does so while the actor closes it.
    """

    def __init__(self, process: int, pid: int, job: jobs.Job, instance: str) -> None:
        self.pid = pid
        self.instance = instance
        self.created = api.created(process)
        self.process = owned_handle.OwnedHandle(process)
        self.job = job
        self._status: int | None = None

    @property
    def session(self) -> int:
        """The job's handle, made negative so that it is no pid; 0 once it is closed.

        The guardian, given a handle of its own, ends the tree by it.
        """
        return -self.job.handle

    def poll(self) -> int | None:
        """Return the leader's exit code (0 to 2**32 - 1) if it has ended, else None."""
        with self.process.use() as process:
            if self._status is None and process and not api.runs(process):
                self._status = _winapi.GetExitCodeProcess(process)
            return self._status

    def watch_exit(self, loop: Loop, on_exit: Callable[[], None]) -> None:
        """Call ``on_exit`` once, from a thread of its own, when the leader has ended."""
        ours = _winapi.GetCurrentProcess()
        with self.process.use() as leader:
            process = _winapi.DuplicateHandle(ours, leader, ours, api.SYNCHRONIZE, False, 0)
        exit_event.wait_for(loop, process, on_exit)

    def survivors(self) -> list[int]:
        """Return the pids of the tree that are alive; whoever was born in the job is in it."""
        return self.job.pids()

    def owns(self, pid: int) -> bool:
        """Whether a process is one of the tree."""
        return pid in self.survivors()

    def ask_to_stop(self, signal_name: str, *, leader_only: bool = False) -> bool:  # noqa: ARG002
        """Send CTRL_BREAK, whatever the name (SIGKILL kills); False when nobody could be asked.

        It reaches the leader's process group: descendants too, unless they made one of their own.
        No event reaches one process alone, so ``leader_only`` means nothing here.
        """
        if signal_name == "SIGKILL":
            self.kill()
            return True
        return self.poll() is None and console.send_break(self.pid)

    def kill(self) -> None:
        """End every process of the tree at once; already gone is success."""
        self.job.terminate()

    def close(self) -> None:
        """Release the handles; what still lives then is ended with the runtime."""
        self.poll()
        self.process.close()
        self.job.close()


class Encoded(msgspec.Struct, frozen=True):
    """What CreateProcess takes; fork_exec has execve(2)'s. Never shown: it may hold secrets."""

    command: windows_command.Command
    environment: str

    def __repr__(self) -> str:
        return "<encoded>"


def encode(launch: SpawnRequest) -> Encoded:
    """Return command line and environment block; OSError or ValueError where there is none."""
    root = os.environ["SYSTEMROOT"]
    command = windows_command.command(launch.argv, root)
    return Encoded(command, windows_command.environment_block(launch.env, root))


def spawn(launch: SpawnRequest) -> Child:
    """Start a process in jobs of its own; OSError (with the file's name) when that fails."""
    _no_error_dialogues()
    encoded = launch.encoded if isinstance(launch.encoded, Encoded) else encode(launch)
    own = jobs.create(kill_on_close=False)
    try:
        created = windows_spawn.create(
            encoded.command,
            encoded.environment,
            cwd=launch.cwd,
            output=launch.output,
            jobs=(jobs.runtime_job(), own),
            flags=console.spawn_flags(),
        )
    except OSError:
        own.close()
        raise
    return Child(created.process, created.pid, own, launch.instance)


def own(popen: subprocess.Popen[bytes], instance: str) -> Child:
    """Take over a process that was started otherwise, with the children it will have; OSError."""
    job = jobs.create(kill_on_close=False)
    process = _winapi.OpenProcess(_winapi.PROCESS_ALL_ACCESS, False, popen.pid)
    try:
        jobs.runtime_job().assign(process)
        job.assign(process)
    except OSError:
        job.close()
        _winapi.CloseHandle(process)
        raise
    return Child(process, popen.pid, job, instance)


@functools.cache
def _no_error_dialogues() -> None:
    """Let a crash end a service instead of a dialogue waiting for the user; children inherit it."""
    msvcrt.SetErrorMode(
        msvcrt.SEM_FAILCRITICALERRORS | msvcrt.SEM_NOGPFAULTERRORBOX | msvcrt.SEM_NOOPENFILEERRORBOX
    )
