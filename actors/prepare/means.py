"""What a preparation works with: handed to it, so that it knows nothing of who starts it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec

from bundlevisor.actors.guardian.interface import Guardian
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.prepare.stores import Stores


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """For one service; everything may be used from any thread."""

    loop: Loop
    log: LogStream
    """The service's own."""
    guardian: Guardian
    emit: Callable[..., None]
    """Telemetry: ``emit(event, service_id, **details)``."""
    fault: Callable[[str, BaseException], None]
    """Reports an error of ours with its trace."""
    stores: Callable[[], Stores]
    """Opens what preparations remember, at the first call."""
    log_paths: Callable[[], list[str]]
    """The logs that are open, of all services."""
    closed_logs: Callable[[], AbstractContextManager[None]]
    """Keeps their files closed meanwhile."""
