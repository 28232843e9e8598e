"""Faults in what the runtime stands on: ports, files, disks, limits, its own installation, clients.

Each is a context manager or a function; what it needs of the platform stands with it.
"""

from __future__ import annotations

import contextlib
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
    """Take the right to write into a folder away; without effect for root (POSIX)."""
    mode = folder.stat().st_mode
    folder.chmod(0o555)
    try:
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
    """Use up what is left of the file system of ``folder``; removing the file gives it back."""
    path = folder / "filler"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
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
    """Return words for ``Runtime(wrapper=…)`` that set limits (POSIX; processes: not for root)."""
    flags = {"-n": files, "-u": processes, "-v": memory_mib and memory_mib << 10}
    sets = "; ".join(f"ulimit {flag} {value}" for flag, value in flags.items() if value is not None)
    return ["sh", "-c", f'{sets or ":"}; exec "$@"', "sh"]


def dying_parent() -> Sequence[str]:
    """Return words for ``Runtime(wrapper=…)``: a parent that starts the runtime and can be killed.

    It hands its streams on; kill it by ``psutil.Process(runtime.pid)``, which is then the parent.
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
    """
    command = Path(installed()[0])
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
    """Return a connection that has asked ``count`` times and reads no answer; close it."""
    client = socket.create_connection(("127.0.0.1", runtime.port), 10)
    with contextlib.suppress(OSError):
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
    return client


def step_clock(seconds: float) -> None:
    """Set the system's clock by so much (POSIX, root; else PermissionError). Step it back."""
    if sys.platform != "win32":
        time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
    else:
        raise PermissionError("the clock is stepped on POSIX only")
