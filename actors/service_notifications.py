"""What a service says of itself, on its way to its actor: by lines of its output, by datagrams.

However often it speaks, its actor hears of it ten times a second at most, and the newest word last.
That it is ready, or stopping, is passed on at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.core.messages import (
    BecameReady,
    Message,
    ServiceSaid,
    SignOfLife,
    StopAnnounced,
    TimeExtended,
    WatchdogSet,
)
from bundlevisor.actors.logs.last_line import readable
from bundlevisor.actors.loop.paced import EVERY, Paced
from bundlevisor.actors.probes.notify_socket import UNKNOWN, NotifySocket, open_socket
from bundlevisor.actors.probes.sd_notify import NOTHING, Notification, parse
from bundlevisor.manifest.format.app_data import RUNTIME, below
from bundlevisor.manifest.format.variables import NOTIFY_SOCKET, WATCHDOG_USEC
from bundlevisor.manifest.plan.readiness import Condition

if TYPE_CHECKING:
    from bundlevisor.actors.context import ServiceContext
    from bundlevisor.actors.launch.inputs import StartInputs
    from bundlevisor.actors.launch.spec import LaunchSpec

Tell = Callable[[Message], object]


class ServiceNotifications:
    """Of one start of a service, which may tell by a socket where that makes it ready."""

    def __init__(
        self,
        spec: LaunchSpec,
        context: ServiceContext,
        inputs: StartInputs,
        incarnation: int,
        tell: Tell,
    ) -> None:
        self._spec = spec
        self._loop = context.loop
        self._guardian = context.guardian
        self._inputs = inputs
        self._incarnation = incarnation
        self._tell = tell
        self._notifies = spec.criterion.condition is Condition.NOTIFIED
        self._watchdog = spec.service.watchdog
        self._fraction: float | None = None
        self._words = Paced(context.loop, tell)
        self._extensions = Paced(context.loop, tell)
        self._fed = 0.0
        """When a sign of life was passed on."""
        self._socket: NotifySocket | None = None
        self._belongs: Callable[[int], bool] = lambda _: False

    def line(self, text: str, fraction: float) -> None:
        """Take a line of its output that says how far it is. Any thread."""
        if self._notifies and fraction >= 1:
            self._ready()
        else:
            self._fraction = fraction
            self._words.put(ServiceSaid(self._incarnation, text, fraction))

    def open(self) -> dict[str, str]:
        """Open the socket and watch it; returns the variables by which the service learns of it.

        There is none on Windows, where the service has its lines alone. Raises OSError, also where
        it cannot be watched: before there is a process that would have to be ended. On the loop's
        thread.
        """
        folder = below(self._spec.site.app_data, RUNTIME)
        name = f"notify-{self._spec.index}-{self._incarnation}"
        self._socket = open_socket(folder, name, lambda path: self._guardian.own(path, named=True))
        if self._socket is None:
            return {}
        self._loop.watch(self._socket.fileno(), self._read)
        found = {NOTIFY_SOCKET: self._socket.address}
        if self._watchdog:
            found[WATCHDOG_USEC] = str(round(self._watchdog * 1e6))
        return found

    def heed(self, belongs: Callable[[int], bool]) -> None:
        """Take the word of those of whom ``belongs(pid)`` says so; nobody's until then."""
        self._belongs = belongs

    def close(self) -> None:
        """Read no more, and leave nothing behind. On the loop's thread."""
        socket, self._socket = self._socket, None
        if socket is not None:
            self._loop.unwatch(socket.fileno())
            socket.close()
            for place in socket.places:
                self._guardian.disown(place)

    def _read(self) -> None:
        heard = {UNKNOWN: True}  # by pid: many words of one process are looked at once
        for data, pid in self._socket.receive() if self._socket else ():
            said = parse(data)
            if said == NOTHING:
                continue
            if pid not in heard:
                heard[pid] = self._belongs(pid)
            if heard[pid]:
                self._hear(said)

    def _hear(self, said: Notification) -> None:
        number = self._incarnation
        if said.watchdog_s is not None:
            self._watchdog = said.watchdog_s
            self._tell(WatchdogSet(number, said.watchdog_s))
        if said.extend_s is not None:
            self._extensions.put(TimeExtended(number, said.extend_s))
        if said.ready:
            self._ready()
        if said.status is not None:
            self._words.put(ServiceSaid(number, self._shown(said.status), self._fraction))
        if said.unwell:
            self._tell(SignOfLife(number, "it says so itself (WATCHDOG=trigger)"))
        elif said.alive:
            self._feed()
        if said.stopping:
            self._tell(StopAnnounced(number))

    def _ready(self) -> None:
        self._fraction = None
        self._tell(BecameReady(self._incarnation))

    def _feed(self) -> None:
        now = time.monotonic()
        if self._watchdog and now - self._fed >= min(EVERY, self._watchdog / 8):
            self._fed = now
            self._tell(SignOfLife(self._incarnation))

    def _shown(self, status: bytes) -> str:
        """Return what may be seen of a STATUS: secrets are hidden as in a log."""
        redactor = self._inputs.redactor()
        return readable(redactor.feed(status) + redactor.flush() if redactor else status)
