"""The parts of a run that services use and others find it by: logs, ports, the instance record."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.logs.pipe_copy import guarded
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.ports.port_locks import PortLocks
from bundlevisor.actors.ports.remembered import PortMemory
from bundlevisor.actors.ports.reservations import PortReservations
from bundlevisor.actors.probes.listen_watch import Listening
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console_events import Announcer
from bundlevisor.control.run.instance_record import InstanceRecord
from bundlevisor.control.run.opening import Opening
from bundlevisor.control.wire.exit_codes import HELD
from bundlevisor.manifest.format.app_data import SNAPSHOTS, below

if TYPE_CHECKING:
    from bundlevisor.actors.prepare.stores import Stores
    from bundlevisor.control.run.lock_keeper import LockKeeper


class Edges(msgspec.Struct, frozen=True):
    """What stays open, and goes on, as long as the bundle runs."""

    record: InstanceRecord
    port_memory: PortMemory
    context: ServiceContext
    launched: threading.Event
    """Set once what waits for nothing is launched and all else has got ready: what is heavy may be
    imported then."""


def open_edges(opened: Opening, announcer: Announcer) -> Edges:
    """Start the logs' loop and all that goes on beside the services."""
    record = _instance_record(opened, announcer)

    def guardian_news(event: str, details: dict[str, object]) -> None:
        announcer.emit(event, None, **details)

    opened.loop.hear_of_slow(announcer.tell_slow_turn)
    opened.guardian.attach(opened.loop, guardian_news, record.write_again)
    context = _service_context(opened, announcer, record)
    port_memory = PortMemory(opened.bundle.app_data, opened.console.warn)
    return Edges(record, port_memory, context, threading.Event())


def _instance_record(opened: Opening, announcer: Announcer) -> InstanceRecord:
    """Return what is on disk of this instance, kept by the guardian while services come and go."""
    bundle, endpoint = opened.bundle, opened.endpoint
    return InstanceRecord(
        opened.guardian,
        bundle.app_data,
        bundle.record(endpoint.host, endpoint.port),
        opened.console.warn,
        _looking_after(opened, announcer),
    )


def _service_context(
    opened: Opening, announcer: Announcer, record: InstanceRecord
) -> ServiceContext:
    """Return what all services use."""
    bundle, console, guardian = opened.bundle, opened.console, opened.guardian
    log_loop = Loop("logs", console.fault)
    log_loop.start()

    return ServiceContext(
        loop=opened.loop,
        log_loop=log_loop,
        pipe_copy=guarded(lambda: guardian.inflight, console.warn),
        listening=Listening(opened.loop),
        emit=announcer.emit,
        fault=console.fault,
        warn=console.warn,
        guardian=record,
        reserved=PortReservations(PortLocks()),
        open_stores=lambda: _open_stores(bundle, announcer),
        mark=opened.recorder.mark,
        has_snapshots=os.path.isdir(below(bundle.app_data, SNAPSHOTS)),
    )


def _looking_after(opened: Opening, announcer: Announcer) -> Callable[[], bool]:
    """Return what looks after the lock, and the files beside it; imported with the first look."""

    @functools.cache
    def keeper() -> LockKeeper:
        from bundlevisor.control.run.lock_keeper import LockKeeper

        def restore() -> None:
            opened.endpoint.write()
            announcer.emit("app_data_removed", None, folder=opened.bundle.app_data)

        return LockKeeper(
            opened.lock,
            restore=restore,
            warn=opened.console.warn,
            give_up=lambda reason: opened.ending.ask(reason, HELD),
        )

    def look() -> bool:
        try:
            return keeper().look()
        except (OSError, ImportError):  # no descriptor to load it by: the next time
            return False

    return look


def _open_stores(bundle: Bundle, announcer: Announcer) -> Stores:
    """Open what preparations remember; only bundles with assets or migrations come here."""
    from bundlevisor.actors.prepare.stores import open_stores

    stores = open_stores(
        bundle.manifest,
        bundle.app_data,
        report=announcer.set_aside,
        verify_all=bundle.options.verify == "full",
    )
    announcer.tell_news(stores.migrations)
    return stores
