"""The processes of a run, found by their mark, and what they use: processor time and memory."""

from __future__ import annotations

import mmap
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress

PROC = sys.platform == "linux"

if sys.platform == "win32":
    KILL = signal.SIGTERM  # os.kill makes TerminateProcess of it
else:
    KILL = signal.SIGKILL


def marked(variable: str, value: str, named: str) -> list[int]:
    """Return the pids whose environment has ``variable=value``, our own never.

    Who hides it from us, as the runtime and its guardians do from all but root, is known by a text
    in its command line: ``named``, the path of a folder that no other run has.
    """
    if not PROC:
        return _marked_by_psutil(variable, value, named)
    mark, name = f"{variable}={value}".encode(), os.fsencode(named)
    return [pid for pid in _pids() if _is_marked(pid, mark, name)]


def _pids() -> list[int]:
    return [
        int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
    ]


def _is_marked(pid: int, mark: bytes, name: bytes) -> bool:
    with suppress(OSError):
        try:
            return mark in _words(pid, "environ")
        except PermissionError:
            return any(name in word for word in _words(pid, "cmdline"))
    return False


def _words(pid: int, what: str) -> list[bytes]:
    with open(f"/proc/{pid}/{what}", "rb") as file:
        return file.read().split(b"\0")


def _marked_by_psutil(variable: str, value: str, named: str) -> list[int]:
    import psutil

    def is_marked(process: psutil.Process) -> bool:
        try:
            return process.environ().get(variable) == value
        except psutil.AccessDenied:
            return any(named in word for word in process.cmdline())

    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and is_marked(process):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def kill(pid: int) -> None:
    """End a process at once; OSError when there is none."""
    os.kill(pid, KILL)


def end_all(left_of_it: Callable[[], list[int]]) -> None:
    """Kill what is still there after two seconds."""
    for pid in _left_after(2, left_of_it):
        try:
            kill(pid)
        except ProcessLookupError:
            continue
    _left_after(5, left_of_it)


def _left_after(patience: float, left_of_it: Callable[[], list[int]]) -> list[int]:
    deadline = time.monotonic() + patience
    while (left := left_of_it()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def wait_ended(process: subprocess.Popen[bytes], timeout: float) -> int:
    """Wait for a child's end and return its exit code; subprocess.TimeoutExpired when it is late.

    By an event where there is one (pidfd_open(2)): subprocess looks every 50 ms in the end.
    """
    if hasattr(os, "pidfd_open") and process.poll() is None:
        handle = os.pidfd_open(process.pid)
        try:
            select.select([handle], [], [], timeout)
        finally:
            os.close(handle)
        timeout = 0
    return process.wait(timeout)


def cpu_seconds(pids: Collection[int]) -> float:
    """Return the processor time that the processes have used so far, ended threads included."""
    return sum(map(_cpu, pids))


if sys.platform == "linux":

    def _cpu(pid: int) -> float:
        """Read a process's clock as clock_getcpuclockid(3) names it; OSError when it has gone.

        It counts nanoseconds. /proc/PID/stat counts ticks of 10 ms, and the schedstat of the tasks
        forgets what a thread has used as soon as the thread ends.
        """
        scheduler_clock = 2
        return time.clock_gettime(~pid << 3 | scheduler_clock)

else:

    def _cpu(pid: int) -> float:
        import psutil

        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)


def memory_bytes(pids: Collection[int]) -> int:
    """Return the processes' proportional share (PSS) together; unique memory without /proc.

    A process whose memory is hidden from us, as the runtime's is from all but root, counts with
    all that it does not share with files: pages that it has in common with its parent count twice.
    """
    return sum(_proportional(pid, b"Pss:") if PROC else _unique(pid) for pid in pids)


if sys.platform == "linux":

    def memory_notes() -> list[str]:
        """Return a sentence for a report's head where memory is not counted as PSS throughout."""
        hidden = (
            "memory that is hidden from all but root, as bundlevisor's is, counts without files, "
            "and twice what a process shares with its parent: only root sees its PSS"
        )
        return [hidden] if os.geteuid() else []

else:

    def memory_notes() -> list[str]:
        """Return that memory is not counted as PSS here."""
        return ["memory is what a process has alone (USS): this system tells no PSS"]


def anonymous_bytes(pids: Collection[int]) -> int:
    """Return what of :func:`memory_bytes` is in no file; all of it where that is not told apart.

    The rest is shared with whoever runs the same programs: alone on a machine, the same runtime
    was seen with 24 MiB, and beside other interpreters with 21.
    """
    return sum(_proportional(pid, b"Pss_Anon:") if PROC else _unique(pid) for pid in pids)


def _proportional(pid: int, field: bytes) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):  # who has gone has none
        try:
            file = open(f"/proc/{pid}/smaps_rollup", "rb")  # noqa: SIM115 - closed below
        except PermissionError:
            with open(f"/proc/{pid}/statm", "rb") as pages:
                _, resident, shared, *_ = map(int, pages.read().split())
            return (resident - shared) * mmap.PAGESIZE
        with file:
            for line in file:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    return 0


def _unique(pid: int) -> int:
    import psutil

    return int(psutil.Process(pid).memory_full_info().uss)
