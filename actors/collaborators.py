"""What the supervisor is started with: the plan of the bundle, and whom it talks to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.board import Board
from bundlevisor.actors.loop.wall_time import moment
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph

if TYPE_CHECKING:
    from typing import Protocol

    from bundlevisor.actors.ports.service_ports import Ports
    from bundlevisor.actors.ports.shortages import Shortage
    from bundlevisor.actors.service_actors import SpawnActor

    class Vault(Protocol):
        """The values of secrets; safe from any thread."""

        def missing(self, service_id: str) -> tuple[str, ...]:
            """Return the required secrets of a service that have no value."""

        def hindrance(self, service_id: str) -> str:
            """Return why they have none, where that is not for a person to give."""

        def values_for(self, service_id: str) -> dict[str, str]:
            """Return the values that a service is given, by secret id."""

        def former_for(self, service_id: str) -> tuple[dict[str, str], ...]:
            """Return values that it may have been given earlier, by secret id."""

    class PortChooser(Protocol):
        """Chooses other ports when a service has lost some; remembers the choice."""

        def move(self, service_id: str, names: tuple[str, ...], ports: Ports) -> Ports | None:
            """Return the new table of all ports, None when a range has no free port left."""

        def complete(self, service_id: str, ports: Ports) -> tuple[Ports, Shortage | None]:
            """Return the table with the ports that a service is short of, or what it still lacks.

            What others were given stays theirs, also while they are down.
            """

        def users(self, service_id: str, names: tuple[str, ...]) -> frozenset[str]:
            """Return the other services whose environment or arguments name one of these ports."""


class NoSecrets:
    """The vault of a bundle without secrets."""

    def missing(self, service_id: str) -> tuple[str, ...]:  # noqa: ARG002 - a Vault
        """Nothing is ever missing."""
        return ()

    def hindrance(self, service_id: str) -> str:  # noqa: ARG002 - a Vault
        """As nothing is missing."""
        return ""

    def values_for(self, service_id: str) -> dict[str, str]:  # noqa: ARG002 - a Vault
        """Nobody is given anything."""
        return {}

    def former_for(self, service_id: str) -> tuple[dict[str, str], ...]:  # noqa: ARG002 - a Vault
        """Nobody ever was."""
        return ()


class Plan(msgspec.Struct, frozen=True):
    """What the bundle says, and what was found out about it before the supervisor starts."""

    manifest: Manifest
    graph: Graph
    ports: Ports
    unusable: dict[str, str] = {}
    """Why a service cannot run whatever is tried (a template that names no port), by its id."""
    gpu: bool = False
    """Whether there is a GPU."""
    shortages: dict[str, Shortage] = {}
    """The ports that services did not get, by their ids."""


class Collaborators(msgspec.Struct, frozen=True):
    """Whom the supervisor talks to."""

    board: Board
    emit: Callable[..., None]
    """Telemetry: ``emit(event, service_id=None, **details)``."""
    fault: Callable[[str, BaseException], None]
    """Reports an error of ours with its trace."""
    spawn_actor: SpawnActor
    chooser: PortChooser
    vault: Vault = NoSecrets()
    now: Callable[[], float] = moment
    monotonic: Callable[[], float] = time.monotonic
