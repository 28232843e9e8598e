"""What a preparation works with: handed to it, so that it knows nothing of who starts it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.telemetry import milestones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from bundlevisor.actors.core.messages import Message
    from bundlevisor.actors.guardian.interface import Guardian
    from bundlevisor.actors.launch.inputs import StartInputs
    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.actors.logs.stream import LogStream
    from bundlevisor.actors.loop.reactor import Loop
    from bundlevisor.actors.prepare.stores import Stores
    from bundlevisor.actors.secrets.files import SecretFiles


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """For one service; everything may be used from any thread."""

    loop: Loop
    log: LogStream
    """The service's own."""
    guardian: Guardian
    emit: Callable[..., None]
    """Telemetry: ``emit(event, service_id, **details)``."""
    mark: Callable[[str], None]
    """Notes a milestone of the service."""
    fault: Callable[[str, BaseException], None]
    """Reports an error of ours with its trace."""
    alone: AbstractContextManager[object]
    """Held by the preparation of the service that is under way: a broken actor may have left one.
    """
    installs: bool
    """Whether there are assets to look at, migrations to run, or data to be put back."""
    secret_files: Callable[[], SecretFiles]
    """Where the secrets are that services read from files."""
    stores: Callable[[], Stores]
    """Opens what preparations remember, at the first call."""
    log_paths: Callable[[], list[str]]
    """The logs that are open, of all services."""
    closed_logs: Callable[[], AbstractContextManager[None]]
    """Keeps their files closed meanwhile."""

    @contextmanager
    def timed(self, preparation: str) -> Iterator[None]:
        """Note when a preparation begins and ends."""
        self.mark(milestones.begin(preparation))
        try:
            yield
        finally:
            self.mark(milestones.end(preparation))


class Task(msgspec.Struct, frozen=True):
    """What is to be prepared: one start of a service."""

    spec: LaunchSpec
    means: Means
    inputs: StartInputs
    incarnation: int
    tell: Callable[[Message], None]
    """Hears how it goes, and how it has ended."""
