"""The runtime's end of the guardian.

Every method may be called from any thread, none waits for the guardian, and none raises because it
is dead: then another one is started (see :meth:`Guardian.attach`) and told everything again.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable

from actors import table
from actors.guardian import launch
from actors.guardian.belongings import identity
from actors.guardian.channel import Descriptor, duplicate, pair
from actors.guardian.charge import Charge
from actors.guardian.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported before the guardian is forked, they would be in its memory
    from multiprocessing.process import BaseProcess
    from typing import Protocol

    from actors.guardian.channel import End
    from actors.guardian.inflight import Inflight

    class Loop(Protocol):
        """What the guardian's link needs of the reactor."""

        def call_soon(self, callback: Callable[[], object], /) -> None:
            """Call on the loop's thread."""

        def call_at(self, when: float, callback: Callable[[], object], /) -> object:
            """Call on the loop's thread at a monotonic time."""

        def watch(self, fd: int, read: Callable[[], object], /) -> None:
            """Call whenever the descriptor can be read."""

        def unwatch(self, fd: int, /) -> bool:
            """Watch it no longer."""


Report = Callable[[str, dict[str, object]], object]

RETRY = 0.02
"""Seconds until what the guardian did not take is offered again."""
LIVED = 10.0
"""Seconds: a guardian that did not live longer is not followed at once by the next."""
BREATH = 0.5
LONGEST = 60.0
"""Seconds to the next start after an early death: the first time, and at most; doubling between."""

_Key = tuple[str, str]


class Guardian:
    """A running guardian; made by :meth:`start`."""

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        self._lock = threading.RLock()
        self._told: dict[_Key, tuple[Message, Descriptor | None]] = {}
        """What the present guardian knows and the next one must be told, in order."""
        self._loop: Loop | None = None
        self._report: Report = _ignore
        self._ended = False
        self._retrying = False
        self._inflight: Inflight | None = None
        self._patience = 0.0
        pid = os.getpid()
        hello = ("hello", instance_id, pid, table.created(pid) or 0.0)
        self._told["hello", ""] = (hello, None)
        self._open(launch.first)

    @classmethod
    def start(cls, instance_id: str) -> Guardian:
        """Start the guardian: first thing in the process, before threads and other children.

        ``instance_id`` is the beginning of the marks of this runtime's services. A runtime that
        ends without :meth:`dismiss` has died, also by sys.exit or an exception: then the end of
        the interpreter waits until the guardian has cleaned up.
        """
        return cls(instance_id)

    def attach(self, loop: Loop, report: Report) -> None:
        """Have the guardian's death noticed on this loop, and another one started.

        ``report`` hears of ``guardian_replaced`` and ``guardian_failed``, with details.
        """
        self._loop, self._report = loop, report
        loop.call_soon(self._watch)

    def telemetry(self, path: str) -> None:
        """Say where the line about the runtime's death goes."""
        self._tell(("telemetry", path))

    def own(self, path: str, containing: bytes = b"", *, last: bool = False) -> None:
        """Have a file removed if the runtime dies, provided that it is still ours.

        It is as long as it is the same file as now (inode, time of change): call again after each
        write. With ``containing`` it is as long as it contains these bytes; such a file is removed
        last, and only if no process is left, for the sweep of the next start reads it. ``last``
        keeps a file (a service's secret) until the services are gone.
        """
        last = last or bool(containing)
        self._tell(("own", path, identity(path), containing, last))

    def disown(self, path: str) -> None:
        """Leave a file alone."""
        self._untell("own", path, ("disown", path))

    def expect(self, charge: Charge, read_fd: int = -1) -> None:
        """Announce a process before it is spawned.

        If the runtime is killed before :meth:`spawned`, the guardian finds the process by its mark.
        ``read_fd``, the reading end of its log pipe, is duplicated: the caller closes his own when
        he likes.
        """
        pipe = duplicate(read_fd) if read_fd >= 0 else None
        self._untell("spawned", charge.instance)
        self._tell(("expect", charge.fields()), pipe, key=charge.instance)

    def spawned(self, instance: str, pid: int, created: float, session: int) -> None:
        """Say what :meth:`expect` announced has become; ``session`` 0: none of its own."""
        self._tell(("spawned", instance, pid, created, session))

    def forget(self, instance: str) -> None:
        """Say that nothing is left of it, or that it could not be spawned."""
        for kind in ("expect", "spawned", "held"):
            self._untell(kind, instance)
        self._send(("forget", instance))

    @property
    def inflight(self) -> Inflight:
        """The memory that the log reader reads into; made on first use."""
        with self._lock:
            if self._inflight is None:
                from actors.guardian.inflight import Inflight, shared_memory

                memory = Descriptor(shared_memory())
                self._inflight = Inflight(memory.fd, self._held)
                self._tell(("inflight",), memory, key="")
            return self._inflight

    def dismiss(self, timeout: float = 2.0) -> bool:
        """End the guardian without any work for it; the runtime's last act.

        False when it has not ended in time, because it stands still or hangs: it is killed then. It
        may be dead already, or just being replaced.
        """
        with self._lock:
            self._ended = True
            self._sender.send(("bye",))
            self._unwatch()
            gone = self._sender.finish(timeout)
            if not gone:
                self._process.kill()
            self._process.join(timeout)
            self._close()
            return gone

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
            self._send(message, carried)

    def _untell(self, kind: str, name: str, message: Message | None = None) -> None:
        with self._lock:
            self._told.pop((kind, name), None)
            if message:
                self._send(message)

    def _send(self, message: Message, carried: Descriptor | None = None) -> None:
        with self._lock:
            if not self._sender.send(message, carried):
                self._retry()

    def _retry(self) -> None:
        if self._loop and not self._retrying:
            self._retrying = True
            self._loop.call_at(time.monotonic() + RETRY, self._offer_again)

    def _offer_again(self) -> None:
        with self._lock:
            self._retrying = False
            if not self._ended and not self._sender.pump():
                self._retry()

    def _open(self, start: Callable[[End], BaseProcess]) -> bool:
        """Start a guardian; what it has to know stands in its channel before it lives.

        False when none is wanted any more.
        """
        with self._lock:
            if self._ended:
                return False
            self._sender, theirs = pair()
            for message, carried in self._told.values():
                self._sender.send(message, carried)
        self._started = time.monotonic()
        process = start(theirs)
        with self._lock:
            self._process = process
            self.pid = process.pid or 0
            self.created = table.created(self.pid) or 0.0
        # Registered after multiprocessing's own, and so called before it: it joins the guardian,
        # which waits for the end of the channel.
        atexit.register(self._sender.close)
        return True

    def _watch(self) -> None:
        with self._lock:
            if self._loop and not self._ended:
                self._loop.watch(self._sender.fileno(), self._lost)
                self._offer_again()

    def _unwatch(self) -> None:
        loop, fd = self._loop, self._sender.fileno()
        if loop and fd >= 0:
            loop.call_soon(lambda: loop.unwatch(fd))

    def _lost(self) -> None:
        """Its end of the channel is closed: have another one started."""
        from actors.process import own_children  # loaded by now; the guardian has no use for it

        with self._lock:
            if self._ended:
                return  # dismissed while this waited for the lock: the channel is closed already
            if self._loop:
                self._loop.unwatch(self._sender.fileno())
            self._process.kill()
            self._process.join()
            own_children.forget(self.pid)
            self._close()
            lived = time.monotonic() - self._started
            self._patience = 0.0 if lived > LIVED else min(LONGEST, self._patience * 2 + BREATH)
        self._replace_later()

    def _replace_later(self) -> None:
        # In a thread: a spawn takes longer than a loop's callback may.
        starter = threading.Timer(self._patience, self._replace)
        starter.daemon = True
        starter.name = "guardian"
        starter.start()

    def _replace(self) -> None:
        if self._ended:
            return
        from actors.process import own_children

        died = self.pid
        try:
            with own_children.starting():
                opened = self._open(launch.another)
        except OSError as error:
            self._close()
            self._patience = min(LONGEST, self._patience * 2 + BREATH)
            self._report("guardian_failed", {"died": died, "error": str(error)})
            self._replace_later()
            return
        if opened:
            self._report("guardian_replaced", {"died": died, "pid": self.pid})
            if self._loop:
                self._loop.call_soon(self._watch)

    def _close(self) -> None:
        atexit.unregister(self._sender.close)
        self._sender.close()


def _ignore(event: str, details: dict[str, object]) -> None:
    """Nobody is interested yet."""
