"""Faults in what the runtime stands on: ports, files, disks, limits, its own installation, clients.

Each is a context manager or a function; what it needs of the platform stands with it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bundlevisor.testing.limits import TaskLimit, slow_sync, task_limit
from bundlevisor.testing.runtime import Runtime
from bundlevisor.testing.spawned import installed

__all__ = [
    "TaskLimit",
    "corrupt",
    "dying_parent",
    "fill",
    "limited",
    "movable_installation",
    "port_theft",
    "read_only",
    "slow_clients",
    "slow_sync",
    "small_disk",
    "step_clock",
    "task_limit",
    "tear",
    "unread_answers",
]


MOST_FILLED = 1 << 30
"""Bytes."""


@contextlib.contextmanager
def port_theft(port: int, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Listen on a port, as another program would; ``host`` ``::1`` takes it on IPv6 only."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as thief:
        if os.name == "posix":  # old connections of the port do not count
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind((host, port))
        thief.listen()
        yield thief


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write into a folder away.

    PermissionError for who may write all the same: root, and everybody on Windows.
    """
    mode = folder.stat().st_mode
    folder.chmod(0o555)
    try:
        if os.access(folder, os.W_OK):
            raise PermissionError(
                f"{folder} can still be written: root, and Windows, do not heed its mode; "
                "run the test as another user"
            )
        yield
    finally:
        folder.chmod(mode)


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[Path]:
    """Mount a file system of that size on ``folder`` (Linux, root; PermissionError otherwise).

    What is there is hidden. :func:`fill` takes the rest of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        raise PermissionError(f"cannot mount a tmpfs on {folder}: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """Use up what is left of the file system of ``folder``; removing the file gives it back.

    Raises ValueError for more than MOST_FILLED: that is the disk of somebody else, too.
    """
    free = shutil.disk_usage(folder).free
    if free > MOST_FILLED:
        raise ValueError(f"{folder} has {free >> 20} MiB left: fill what small_disk has made")
    path = folder / "filler"
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
    return path


def tear(path: Path) -> None:
    """Cut a file in the middle, as a power cut does."""
    os.truncate(path, path.stat().st_size // 2)


def corrupt(path: Path) -> None:
    """Replace what a file holds by bytes that nobody can read."""
    path.write_bytes(os.urandom(64))


def limited(
    *, files: int | None = None, processes: int | None = None, memory_mib: int | None = None
) -> Sequence[str]:
    """Return words for ``Runtime(wrapper=…)`` that set limits (POSIX; processes: not for root).

    The run ends at once, with the shell's words, where one cannot be set.
    """
    sets = {
        f"ulimit -n {files}": files,
        f"{{ ulimit -u {processes} 2>/dev/null || ulimit -p {processes}; }}": processes,
        f"ulimit -v {(memory_mib or 0) << 10}": memory_mib,
    }
    words = [text for text, value in sets.items() if value is not None]
    return ["sh", "-c", " && ".join([*words, 'exec "$@"']), "sh"]


def dying_parent() -> Sequence[str]:
    """Return words for ``Runtime(wrapper=…)``: a parent that starts the runtime and can be killed.

    It hands its streams on; it has the runtime's ``pid`` and gets its ``kill()``.
    """
    return [
        sys.executable,
        "-I",
        "-c",
        "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))",
    ]


@contextlib.contextmanager
def movable_installation(folder: Path) -> Iterator[list[str]]:
    """Yield the command of a copy of the installation that a test may remove or replace.

    The copy is a virtual environment's folder; for a shipped folder copy that yourself.
    Raises FileNotFoundError where the command is in no such environment.
    """
    command = Path(os.path.realpath(installed()[0]))
    if not (command.parent.parent / "pyvenv.cfg").exists():
        raise FileNotFoundError(f"{command} is in no virtual environment that could be copied")
    copy = folder / "installation"
    shutil.copytree(command.parent.parent, copy, symlinks=True)
    try:
        yield [str(copy / command.parent.name / command.name)]
    finally:
        shutil.rmtree(copy, ignore_errors=True)


@contextlib.contextmanager
def slow_clients(
    runtime: Runtime, count: int = 50, sent: bytes = b"GET /healthz HTTP/1.1\r\n"
) -> Iterator[None]:
    """Keep connections to the control API open that have sent only ``sent``; ``b""``: nothing."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(count):
            one = open_ones.enter_context(socket.create_connection(("127.0.0.1", runtime.port), 10))
            one.sendall(sent)
        yield


def unread_answers(runtime: Runtime, count: int = 200) -> socket.socket:
    """Return a connection that has asked ``count`` times and reads no answer; close it.

    An answer is some 40 KB (the API's description): the system keeps 2 to 6 MB of those that nobody
    reads, and the runtime has to wait with the rest.
    """
    client = socket.create_connection(("127.0.0.1", runtime.port), 10)
    asked = f"GET /openapi.json HTTP/1.1\r\nAuthorization: Bearer {runtime.token}\r\n"
    with contextlib.suppress(OSError):
        client.sendall(f"{asked}Host: localhost\r\n\r\n".encode() * count)
    return client


def step_clock(seconds: float) -> None:
    """Set the system's clock by so much (POSIX, root; else PermissionError). Step it back."""
    if sys.platform != "win32":
        time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
    else:
        raise PermissionError("the clock is stepped on POSIX only")
