"""What is up while a bundle runs, once the start has built all of it."""

from __future__ import annotations

from typing import Any

import pykka

from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.telemetry.writer import Telemetry
from bundlevisor.control.run.console_events import Announcer
from bundlevisor.control.run.edges import Edges
from bundlevisor.control.run.gpu import Gpu
from bundlevisor.control.run.opening import Opening
from bundlevisor.control.run.secret_supply import SecretSupply


class Parts(Opening, frozen=True, kw_only=True):
    """For what comes after the start: the control API, what is written down, and the end."""

    secrets: SecretSupply
    telemetry: Telemetry
    announcer: Announcer
    edges: Edges
    gpu: Gpu
    specs: dict[str, LaunchSpec]
    supervisor: pykka.ActorRef[Any] | None
    """None in a dry run."""
