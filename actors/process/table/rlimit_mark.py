"""A mark that no program takes off: it survives setsid, double forks and a cleared environment.

RLIMIT_LOCKS has limited nothing since Linux 2.4.25 (getrlimit(2)), yet it is inherited by fork(2),
kept by execve(2), and can be read from outside. Set to a number made of the instance id in the
runtime, it is in everything that comes out of it. One prlimit(2) a process, about 1 us.

Its lower bits are a serial number, which the runtime carries while it starts a tree: so it also
says of which start a process came out. Linux only; elsewhere nothing is marked, and nothing found.
"""

from __future__ import annotations

import os
import sys

from bundlevisor.actors.process.table.found import Found, session_of
from bundlevisor.manifest.format.variables import mark_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import ClassVar

SERIAL_BITS = 16
"""Enough for a serial number to come again only after 65,535 other starts, as many as some hours of
health commands are; 0 is no number."""

if sys.platform == "linux":
    from bundlevisor.actors.process.table.linux import alive, created, pids

    RLIMIT_LOCKS = 10
    """The same on every architecture; Python's ``resource`` has no name for it."""

    def set_mark(pid: int, born: float, instance_id: str) -> None:
        """Mark a process, and what it starts from now on; nothing happens where that is refused.

        A pid that was freed just now is not given out again before all others have been, so the
        comparison holds for the call that follows it.
        """
        if alive(pid, born) and not has_rlimit_mark(pid, instance_id):
            _set(pid, _number(instance_id))

    class SerialOfStart:
        """Gives what this process starts within the block a serial number of its own.

        ``serial`` is 0 when this process is not marked, or a sandbox forbids it. Within one block
        at a time only.
        """

        in_use: ClassVar[set[int]] = set()
        """Of trees that may still have members: none of these is given to another."""
        _last = 0

        def __init__(self) -> None:
            self.serial = 0

        def __enter__(self) -> SerialOfStart:
            self._plain = _get(0) or -1
            if self._plain >> SERIAL_BITS > 0:
                number = self._next()
                self._plain &= -1 << SERIAL_BITS
                if _set(0, self._plain | number):
                    self.serial = number
            return self

        def _next(self) -> int:
            most = 2**SERIAL_BITS - 1
            for _ in range(most):
                SerialOfStart._last = SerialOfStart._last % most + 1
                if SerialOfStart._last not in self.in_use:
                    break
            return SerialOfStart._last

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            if self.serial:
                _set(0, self._plain)

    def serial_of(pid: int) -> int:
        """Return the serial number of the start of ours that a process came out of; 0: of none."""
        limit, ours = _get(pid) or -1, _get(0) or -1
        same = limit >> SERIAL_BITS == ours >> SERIAL_BITS > 0
        return limit & (2**SERIAL_BITS - 1) if same else 0

    def clear() -> None:
        """Take the mark off this process: what it does is not to be ended with the rest."""
        import resource

        _set(0, resource.RLIM_INFINITY)

    def has_rlimit_mark(pid: int, instance_id: str) -> bool:
        """Whether a process (0: this one) came out of this instance."""
        limit = _get(pid)
        return limit is not None and limit >> SERIAL_BITS == _number(instance_id) >> SERIAL_BITS

    def rlimit_marked(instance_id: str) -> list[Found]:
        """Return what lives and came out of this instance; never the caller."""
        return [found for trees in by_serial(instance_id).values() for found in trees]

    def by_serial(instance_id: str) -> dict[int, list[Found]]:
        """Return what lives and came out of this instance, by serial number; never the caller."""
        trees: dict[int, list[Found]] = {}
        for pid in pids():
            if pid == os.getpid() or not has_rlimit_mark(pid, instance_id):
                continue
            serial = (_get(pid) or 0) & (2**SERIAL_BITS - 1)
            born = created(pid)
            # Looked at again: the start time is that of the marked one, not of a successor.
            if born is not None and alive(pid, born) and has_rlimit_mark(pid, instance_id):
                found = Found(pid, born, session_of(pid), mark_prefix(instance_id))
                trees.setdefault(serial, []).append(found)
        return trees

    def _number(instance_id: str) -> int:
        """Return 61 bits, the last of them zero: a limit that nobody sets by chance."""
        return int.from_bytes(instance_id.encode(), "big") % (2**45 - 1) << SERIAL_BITS

    def _get(pid: int) -> int | None:
        import resource

        try:
            return resource.prlimit(pid, RLIMIT_LOCKS)[0]
        except (OSError, ValueError):
            return None  # gone, of another user, or a sandbox without prlimit(2)

    def _set(pid: int, number: int) -> bool:
        import resource

        try:
            _, most = resource.prlimit(pid, RLIMIT_LOCKS)
            resource.prlimit(pid, RLIMIT_LOCKS, (number, most))
        except (OSError, ValueError):
            return False  # as above, or a lower hard limit than anybody sets
        return True

else:

    def set_mark(pid: int, born: float, instance_id: str) -> None:
        """Do nothing."""

    class SerialOfStart:
        """Does nothing."""

        in_use: ClassVar[set[int]] = set()
        serial = 0

        def __enter__(self) -> SerialOfStart:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            pass

    def serial_of(pid: int) -> int:  # noqa: ARG001
        """Return that it has none."""
        return 0

    def clear() -> None:
        """Do nothing."""

    def has_rlimit_mark(pid: int, instance_id: str) -> bool:  # noqa: ARG001
        """Return that it is not."""
        return False

    def rlimit_marked(instance_id: str) -> list[Found]:  # noqa: ARG001
        """Return nothing."""
        return []

    def by_serial(instance_id: str) -> dict[int, list[Found]]:  # noqa: ARG001
        """Return nothing."""
        return {}
