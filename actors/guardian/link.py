"""The runtime's end of the guardian: what it is told, and what its successors must be told again.

Every method may be called from any thread, only ``await_charge`` and ``dismiss`` wait for the
guardian, and none raises because it is dead: then another one takes its place
(:mod:`bundlevisor.actors.guardian.roster`), which knows the same.
"""

from __future__ import annotations

import os
import threading

from bundlevisor.actors.guardian import starting
from bundlevisor.actors.guardian.channel import Descriptor, duplicate, held
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.owned_file import WHATEVER, identity
from bundlevisor.actors.guardian.roster import Roster, unheard
from bundlevisor.actors.guardian.wire import Message
from bundlevisor.actors.process import table

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported before the guardian is forked, they would be in its memory
    from collections.abc import Callable

    from bundlevisor.actors.guardian.inflight import Inflight
    from bundlevisor.actors.guardian.roster import Loop, Report

_Key = tuple[str, str]
NOBODY = (0, 0.0)


class Guardian:
    """A running guardian; made by :meth:`start`."""

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        self._lock = threading.RLock()
        self._told: dict[_Key, tuple[Message, Descriptor | None]] = {}
        """What the present guardian knows and the next one must be told, in order."""
        self._inflight: Inflight | None = None
        pid = os.getpid()
        hello = ("hello", instance_id, pid, table.created(pid) or 0.0)
        self._told["hello", ""] = (hello, None)
        self._roster = Roster(self._lock, self._told.values)
        self._roster.start(starting.first)

    @property
    def pid(self) -> int:
        """The pid of the one that acts when the runtime dies; 0 while there is none."""
        first = self._roster.first
        return first.pid if first else 0

    def in_order(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """Return pid and create time of the one that acts, and of the one behind it; 0 for none."""
        known = [(guardian.pid, guardian.created) for guardian in self._roster.guardians[:2]]
        first, second = [*known, NOBODY, NOBODY][:2]
        return first, second

    @classmethod
    def start(cls, instance_id: str) -> Guardian:
        """Start the guardian: first thing in the process, before threads and other children.

        ``instance_id`` is the beginning of the marks of this runtime's services. A runtime that
        ends without :meth:`dismiss` has died, also by sys.exit or an exception: then the end of
        the interpreter waits until the guardian has cleaned up.
        """
        return cls(instance_id)

    def attach(self, loop: Loop, report: Report, changed: Callable[[], object] = unheard) -> None:
        """Have the guardian's death noticed on this loop, and another one started.

        ``report`` hears of ``guardian_replaced``, once the new one has answered, and of
        ``guardian_failed``, with details. ``changed`` is called when there is another one, also in
        reserve, or one less.
        """
        self._roster.attach(loop, report, changed)

    def keep_reserve(self) -> None:
        """Have a second guardian in reserve from now on, where one can be forked (POSIX).

        It knows what the first one knows, and acts when that one has not done its work: so there
        is no moment in which nothing guards.
        """
        self._roster.keep_reserve()

    def await_charge(self, timeout: float) -> bool:
        """Wait until the guardian, or who follows one that died before, has taken charge of this
        process; not on the loop, which hears of it.

        From then on all is found that comes out of it, also what takes off everything by which it
        could be known. False when nobody has in time. On Windows nothing is waited for: what is
        started is in a job, with or without a guardian.
        """
        return self._roster.await_charge(timeout)

    def telemetry(self, path: str) -> None:
        """Say where the line about the runtime's death goes."""
        self._tell(("telemetry", path))

    def own(
        self,
        path: str,
        containing: bytes = b"",
        *,
        last: bool = False,
        beside: str = "",
        named: bool = False,
    ) -> None:
        """Have a file removed if the runtime dies, provided that it is still ours.

        It is as long as it is the same file as now (inode, time of change): call again for each
        write, with the new file's path ``beside`` it before it is renamed to ``path``. With
        ``containing`` it is as long as it contains these bytes; such a file is removed last, and
        only if no process is left, for the sweep of the next start reads it. ``named``: it is ours
        by its name, and need not be there yet; it may be a folder. ``last`` keeps a file (a
        service's secret) until the services are gone.
        """
        last = last or bool(containing)
        which = WHATEVER if named else identity(beside or path)
        self._tell(("own", path, which, containing, last))

    def disown(self, path: str) -> None:
        """Leave a file alone."""
        self._untell("own", path, ("disown", path))

    def expect(self, guarded: GuardedProcess, read_fd: int = -1) -> None:
        """Announce a process before it is spawned.

        If the runtime is killed before :meth:`spawned`, the guardian finds the process by its mark.
        ``read_fd``, the reading end of its log pipe, is duplicated: the caller closes his own when
        he likes.
        """
        pipe = duplicate(read_fd) if read_fd >= 0 else None
        self._untell("spawned", guarded.instance)
        self._tell(("expect", guarded.fields()), pipe, key=guarded.instance)

    def spawned(self, instance: str, pid: int, created: float, session: int) -> None:
        """Say what :meth:`expect` announced has become; ``session`` 0: none of its own."""
        self._tell(("spawned", instance, pid, created, session), held(session))

    def forget(self, instance: str) -> None:
        """Say that nothing is left of it, or that it could not be spawned."""
        for kind in ("expect", "spawned", "held"):
            self._untell(kind, instance)
        self._roster.send(("forget", instance))

    @property
    def inflight(self) -> Inflight:
        """The memory that the log reader reads into; made on first use."""
        with self._lock:
            if self._inflight is None:
                from bundlevisor.actors.guardian.inflight import SIZE, Inflight
                from bundlevisor.actors.guardian.shared_memory import shared_memory

                memory = Descriptor(shared_memory("inflight", SIZE))
                self._inflight = Inflight(memory.fd, self._held)
                self._tell(("inflight",), memory, key="")
            return self._inflight

    def hold_code(self, fd: int, index_at: tuple[int, int], machine_code: dict[str, str]) -> None:
        """Have it keep the code that it will need: the start is over.

        It lies in the file of this descriptor, with an index there; -1: in none. ``machine_code``
        are the files of modules.
        """
        shared = duplicate(fd) if fd >= 0 else None
        self._tell(("hold_code", *index_at, machine_code), shared, key="")

    def stopping(self) -> None:
        """Say that no service is started any more, and all are about to be stopped."""
        self._roster.send(("stopping",))

    def wake(self) -> None:
        """Have all guardians go on that somebody has stopped: they act, or hear the goodbye."""
        self._roster.wake()

    def dismiss(self, timeout: float = 2.0) -> bool:
        """End the guardian without any work for it; the runtime's last act.

        False when it has not ended in time, because it stands still or hangs: it is killed then. It
        may be dead already, or just being replaced.
        """
        return self._roster.dismiss(timeout)

    def _held(self, instance: str, held: bytes) -> None:
        self._tell(("held", instance, held), key=instance)

    def _tell(
        self, message: Message, carried: Descriptor | None = None, *, key: str | None = None
    ) -> None:
        """Send a message that a later guardian has to hear too."""
        with self._lock:
            name = key if key is not None else str(message[1])
            self._told.pop((str(message[0]), name), None)
            self._told[str(message[0]), name] = (message, carried)
            self._roster.send(message, carried)

    def _untell(self, kind: str, name: str, message: Message | None = None) -> None:
        with self._lock:
            self._told.pop((kind, name), None)
            if message:
                self._roster.send(message)
