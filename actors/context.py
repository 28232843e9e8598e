"""What a service actor works with, shared by all: loops, logs, ports, guardian, stores, pages."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.files.time_index import TimeIndex
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.ports.reservations import PortReservations
from bundlevisor.actors.probes.listen_watch import Listening
from bundlevisor.actors.probes.schedule import ProbeStats
from bundlevisor.manifest.format.schema import Service

if TYPE_CHECKING:
    from bundlevisor.actors.guardian.interface import Guardian
    from bundlevisor.actors.logs.pipe_copy import PipeCopy
    from bundlevisor.actors.look_thread import LookThread
    from bundlevisor.actors.prepare.means import Means
    from bundlevisor.actors.prepare.stores import Stores
    from bundlevisor.actors.secrets.files import SecretFiles
    from bundlevisor.actors.ui_server.parent.page_hosts import PageHosts

SOON = 0.01
"""Seconds within which the log of what is launched together with others is connected."""
LONGEST_PAUSE = 5.0
"""Seconds that the logs are kept closed at most; a disk may hang."""


class ServiceContext:
    """One for a runtime; everything here may be used from any actor."""

    def __init__(
        self,
        loop: Loop,
        log_loop: Loop,
        pipe_copy: PipeCopy,
        listening: Listening,
        emit: Callable[..., None],
        fault: Callable[[str, BaseException], None],
        warn: Callable[[str], None],
        guardian: Guardian,
        reserved: PortReservations,
        open_stores: Callable[[], Stores],
        mark: Callable[[str, str], None],
        *,
        has_snapshots: bool = False,
    ) -> None:
        self.loop = loop
        self.reserved = reserved
        """Ports that were chosen and wait for their service to take them over."""
        self.listening = listening
        self.emit = emit
        self.fault = fault
        self.guardian = guardian
        self.mark = mark
        """Notes a milestone of a service for the timeline: ``mark(what, service_id)``."""
        self._has_snapshots = has_snapshots
        self._open_stores = open_stores
        self._opening = threading.Lock()
        """Held as long as the disk takes; no loop waits for that."""
        self._making = threading.Lock()
        self._stores: Stores | None = None
        self._secret_files: SecretFiles | None = None
        self._log_loop = log_loop
        self._pipe_copy = pipe_copy
        self._warn = warn
        self._files: dict[str, LogFile] = {}
        self._logs: dict[str, LogStream] = {}
        self._probe_stats: dict[str, ProbeStats] = {}
        self._preparing: dict[str, threading.Lock] = {}

    def log(self, spec: LaunchSpec) -> LogStream:
        """Return the log of a service; it outlives the service's incarnations."""
        id_ = spec.service.id
        stream = self._logs.get(id_)
        if stream is None:
            path, pipe_copy = spec.log_path, self._pipe_copy
            times = TimeIndex(path)
            file = self._files.setdefault(
                path, LogFile(path, write=pipe_copy.write, report=self._warn, times=times)
            )
            made = LogStream(id_, file, self._log_loop, self._warn, pipe_copy, self._put_off)
            stream = self._logs.setdefault(id_, made)  # who follows may have asked meanwhile
        return stream

    def _put_off(self, call: Callable[[], object]) -> None:
        """Have it done once no launch waits, or soon."""
        if self.loop.inside:
            self.loop.call_idle(call, within=SOON)
        else:
            call()

    def means(self, spec: LaunchSpec) -> Means:
        """Return what the preparations of a service work with."""
        from bundlevisor.actors.prepare.means import Means

        return Means(
            alone=self._preparing.setdefault(spec.service.id, threading.Lock()),
            installs=self.installs(spec.service),
            secret_files=lambda: self.secret_files,
            loop=self.loop,
            log=self.log(spec),
            guardian=self.guardian,
            emit=self.emit,
            mark=lambda what: self.mark(what, spec.service.id),
            fault=self.fault,
            stores=lambda: self.stores,
            log_paths=lambda: [stream.path for stream in self._logs.copy().values()],
            closed_logs=self.closed_logs,
        )

    @property
    def stores(self) -> Stores:
        """Return what preparations remember, read from disk at the first use."""
        with self._opening:
            if self._stores is None:
                self._stores = self._open_stores()
            return self._stores

    @property
    def has_stores(self) -> bool:
        """Whether they have been opened."""
        return self._stores is not None

    def installs(self, service: Service) -> bool:
        """Whether there are assets to look at, migrations to run, or data to be put back.

        The last may be when an upgrade was cut short after which the app went back a version.
        """
        back = bool(service.data_dirs) and self._has_snapshots
        return bool(service.assets or service.migrations or back)

    def forget_snapshot(self, id_: str) -> None:
        """The upgraded service has been ready: the data before the upgrade is not needed.

        Without a thread to be had it stays until the service is ready again.
        """
        from bundlevisor.actors.loop.thread_start import start_thread

        snapshots = self.stores.snapshots
        with contextlib.suppress(RuntimeError):
            start_thread(lambda: snapshots.drop(id_))

    @functools.cached_property
    def look_thread(self) -> LookThread:
        """Does what may block and nobody waits for; only the events loop's thread uses it."""
        from bundlevisor.actors.look_thread import LookThread

        return LookThread("looks", self.fault)

    @functools.cached_property
    def page_hosts(self) -> PageHosts:
        """Processes that several pages share; only the events loop's thread uses them."""
        from bundlevisor.actors.ui_server.parent.page_hosts import PageHosts

        return PageHosts(self.loop, self.guardian)

    @property
    def secret_files(self) -> SecretFiles:
        """Return the secrets that services read from files; made at the first use."""
        with self._making:
            if self._secret_files is None:
                from bundlevisor.actors.secrets.files import SecretFiles

                self._secret_files = SecretFiles(self.guardian, self._warn)
            return self._secret_files

    def remove_secret_files(self) -> None:
        """Remove what is left of them in the end: an actor that broke may have left some."""
        if self._secret_files is not None:
            self._secret_files.remove_all()

    def probe_stats_of(self, service_id: str) -> ProbeStats:
        """Return the count of a service's checks; it outlives the service's incarnations."""
        return self._probe_stats.setdefault(service_id, ProbeStats())

    @property
    def probe_stats(self) -> dict[str, ProbeStats]:
        """Return the counts of checks, by service that has been asked."""
        return {id_: stats for id_, stats in self._probe_stats.copy().items() if stats.count}

    @contextlib.contextmanager
    def closed_logs(self) -> Iterator[None]:
        """Keep every log's file closed meanwhile; what is written waits, so it must not be long."""
        closed, over = threading.Event(), threading.Event()

        def wait() -> None:
            for file in list(self._files.values()):
                file.close()
            closed.set()
            over.wait(LONGEST_PAUSE)

        self._log_loop.call_soon(wait)
        closed.wait(LONGEST_PAUSE)
        try:
            yield
        finally:
            over.set()

    @property
    def streams(self) -> dict[str, LogStream]:
        """Return the logs that are open, by service."""
        return dict(self._logs)
