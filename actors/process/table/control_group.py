"""A control group (cgroups(7), version 2) for everything that comes out of a runtime.

A process can leave its session, clear its environment, close its files and set its limits; it
leaves its control group only by writing into the file system of the groups. Where the user may make
a group (his session's is delegated to him), the guardian moves the runtime into one of its own. The
kernel waits for every processor then, some ten milliseconds, and longer where others fork all the
time; so it happens beside the start, and only the first service waits for it. Linux only:
elsewhere, and where it is refused, there is no group, and its path is empty.
"""

from __future__ import annotations

import os
import sys
import time

GONE_WITHIN, AGAIN = 0.5, 0.005
"""Seconds for the kernel to be done with a process that has let go of its files, and to try."""
ABANDONED_S = 60.0
"""Seconds since its making after which an empty group is nobody's any more."""
PREFIX = "bundlevisor-"

if sys.platform == "linux":

    def enclose(pid: int, instance_id: str) -> str:
        """Put a process into the group of this instance; return the group's folder, or ``""``.

        What the process starts from now on is in it too. Again is success.
        """
        there = group_of(pid, instance_id)
        parent = _folder(pid)
        if there or not parent:
            return there
        path = os.path.join(parent, PREFIX + instance_id)
        try:
            os.mkdir(path)
        except FileExistsError:
            pass  # another guardian's doing, in this moment
        except OSError:
            return ""
        if not _move(pid, path):
            remove(path)
            return ""
        return path

    def group_of(pid: int, instance_id: str = "") -> str:
        """Return the folder of the instance's (or any's) group that it is in, or ``""``."""
        folder = _folder(pid)
        name = os.path.basename(folder)
        ours = name == PREFIX + instance_id if instance_id else name.startswith(PREFIX)
        return folder if ours else ""

    def made_beside(pid: int, instance_id: str) -> str:
        """Return the group of an instance that was made where this process is, or ``""``.

        For who comes when its runtime is dead, and in no group any more.
        """
        path = os.path.join(_folder(pid), PREFIX + instance_id)
        return path if os.path.isabs(path) and os.path.isdir(path) else ""

    def find(instance_id: str) -> str:
        """Return the group of an instance wherever it was made, or ``""``: looks at all groups."""
        name = PREFIX + instance_id
        for folder, inner, _ in os.walk(_mount_point()) if _mount_point() else ():
            if name in inner:
                return os.path.join(folder, name)
        return ""

    def release(pid: int, path: str) -> None:
        """Put a process back to where the group was made."""
        if path and _folder(pid) == path:
            _move(pid, os.path.dirname(path))

    def members(path: str) -> list[int]:
        """Return the pids in a group, and in those that were made within it."""
        found: list[int] = []
        for folder, _, _ in os.walk(path) if path else ():
            found += _members(folder)
        return found

    def remove(path: str) -> None:
        """Remove an empty group; one whose members do not end at once stays."""
        deadline = time.monotonic() + GONE_WITHIN
        while path and os.path.isdir(path) and time.monotonic() < deadline:
            for folder, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    time.sleep(AGAIN)

    def remove_abandoned(pid: int) -> None:
        """Remove the empty groups that others have left where this process is.

        All of them were killed before they stood on record. A young one may be about to be used.
        """
        folder, latest = _folder(pid), time.time() - ABANDONED_S
        try:
            names = [name for name in os.listdir(folder or ".") if name.startswith(PREFIX)]
            for path in (os.path.join(folder, name) for name in names if folder):
                if os.stat(path).st_mtime < latest and not _members(path):
                    os.rmdir(path)
        except OSError:
            return  # somebody is in it, or somebody else is about it

    def _members(folder: str) -> list[int]:
        try:
            with open(f"{folder}/cgroup.procs", "rb", buffering=0) as file:
                return [int(pid) for pid in file.read().split() if pid != b"0"]
        except OSError:
            return []

    def _move(pid: int, path: str) -> bool:
        try:
            file = os.open(f"{path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(file, b"%d" % pid)
            finally:
                os.close(file)
        except OSError:
            return False
        return True

    def _folder(pid: int) -> str:
        """Return the folder of a process's group; ``""`` without version 2."""
        try:
            with open(f"/proc/{pid}/cgroup", "rb", buffering=0) as file:
                lines = os.fsdecode(file.read()).splitlines()
        except OSError:
            return ""
        own = next((line[3:] for line in lines if line.startswith("0::/")), "")
        if not own or "/.." in own or not _mount_point():
            return ""  # none, or one that this mount does not show
        return _mount_point() + own.rstrip("/")

    def _mount_point() -> str:
        """Return where the whole hierarchy is mounted; ``""`` where it is not."""
        if not _found:
            _found.append(_find_mount_point())
        return _found[0]

    _found: list[str] = []

    def _find_mount_point() -> str:
        try:
            with open("/proc/self/mountinfo", "rb") as file:
                mounts = [line.split() for line in file if b" - cgroup2 " in line]
        except OSError:
            return ""
        whole = [mount[4] for mount in mounts if mount[3] == b"/"]
        return os.fsdecode(whole[0]) if whole and b"\\" not in whole[0] else ""

else:

    def enclose(pid: int, instance_id: str) -> str:  # noqa: ARG001
        """Return that there is no group."""
        return ""

    def group_of(pid: int, instance_id: str = "") -> str:  # noqa: ARG001
        """Return that there is no group."""
        return ""

    def made_beside(pid: int, instance_id: str) -> str:  # noqa: ARG001
        """Return that there is no group."""
        return ""

    def find(instance_id: str) -> str:  # noqa: ARG001
        """Return that there is no group."""
        return ""

    def release(pid: int, path: str) -> None:
        """Do nothing."""

    def members(path: str) -> list[int]:  # noqa: ARG001
        """Return nobody."""
        return []

    def remove(path: str) -> None:
        """Do nothing."""

    def remove_abandoned(pid: int) -> None:
        """Do nothing."""
