"""Limits that bind root as well, and a disk that takes its time; both are Linux'."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

from bundlevisor.testing.deadline import wait_until

HIERARCHIES = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
"""Where control groups that count tasks are made (cgroups(7)): version 1, version 2."""
WITHOUT_PRELOAD = ("darwin", "win32")
SEPARATORS = frozenset(": \t\n")
"""Of LD_PRELOAD (ld.so(8)), which has no escape."""
SLOW_SYNC = Path(__file__).with_name("slow_sync.c")


class TaskLimit:
    """A limit on the processes and threads of a run; :meth:`set` changes it at any time."""

    def __init__(self, group: Path) -> None:
        self._group = group

    @property
    def wrapper(self) -> list[str]:
        """Words for ``Runtime(wrapper=…)``."""
        enter = f'echo $$ > {self._group}/cgroup.procs && exec "$@"'
        return ["sh", "-c", enter, "sh"]

    @property
    def tasks(self) -> int:
        """How many there are now."""
        return int((self._group / "pids.current").read_text(encoding="ascii"))

    def set(self, most: int | None) -> None:
        """Allow so many tasks (threads count); None: no limit. Those that are there stay."""
        text = "max" if most is None else str(most)
        (self._group / "pids.max").write_text(text, encoding="ascii")


@contextlib.contextmanager
def task_limit() -> Iterator[TaskLimit]:
    """Make a control group for a run; PermissionError where none can be made.

    What is still in it at the end goes on without a limit.
    """
    name = f"under-test-{uuid.uuid4().hex[:8]}"
    group = next((path / name for path in HIERARCHIES if _makes(path / name)), None)
    if group is None:
        raise PermissionError("no control group that counts tasks can be made here (cgroups(7))")
    try:
        yield TaskLimit(group)
    finally:
        wait_until(lambda: _is_left(group), "an empty control group")
        group.rmdir()


def _is_left(group: Path) -> bool:
    """Have all leave it for the one above; whether nobody is in it."""
    pids = (group / "cgroup.procs").read_text(encoding="ascii").split()
    for pid in pids:
        with contextlib.suppress(OSError):  # it has just ended
            (group.parent / "cgroup.procs").write_text(pid, encoding="ascii")
    return not pids


def _makes(group: Path) -> bool:
    """Return whether the group could be made, and counts tasks."""
    with contextlib.suppress(OSError):
        group.mkdir()
        if (group / "pids.max").exists():
            return True
        group.rmdir()
    return False


def slow_sync(milliseconds: int) -> dict[str, str]:
    """Return variables for ``Runtime(env=…)``: each fsync(2) of the run takes so much longer.

    FileNotFoundError without a C compiler; PermissionError on macOS and Windows, whose systems take
    no such library. Programs that are linked statically are not concerned.
    """
    if sys.platform in WITHOUT_PRELOAD:
        raise PermissionError("slow_sync is Linux': this system heeds no LD_PRELOAD")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise FileNotFoundError("slow_sync needs a C compiler")
    folder = Path(tempfile.gettempdir()) / f"bundlevisor-slow-sync-{_user()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != _user():
        raise PermissionError(f"{folder} belongs to somebody else")
    if set(str(folder)) & SEPARATORS:
        raise ValueError(f"LD_PRELOAD cannot name a file in '{folder}': set another TMPDIR")
    made = folder / f"slow_sync-{uuid.uuid4().hex[:8]}.new"
    library = folder / f"slow_sync-{zlib.crc32(SLOW_SYNC.read_bytes()):08x}.so"
    if not library.exists():
        words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(SLOW_SYNC), "-ldl"]
        subprocess.run(words, check=True, capture_output=True)
        made.replace(library)
    return {"LD_PRELOAD": str(library), "SLOW_SYNC_MS": str(milliseconds)}


def _user() -> int:
    if sys.platform == "win32":
        return 0
    else:  # noqa: RET505 - or mypy calls it unreachable on Windows
        return os.getuid()
