"""What is up while a bundle runs, once the start has built all of it."""

from __future__ import annotations

import socket
from typing import Any

import msgspec
import pykka

from bundlevisor.actors.core.snapshot import Board
from bundlevisor.actors.files.instance_lock import InstanceLock
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.actors.telemetry.writer import Telemetry
from bundlevisor.control.http.early_health import EarlyHealth
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console import Console
from bundlevisor.control.run.console_events import Announcer
from bundlevisor.control.run.edges import Edges
from bundlevisor.control.run.endpoint_files import EndpointFiles
from bundlevisor.control.run.gpu import Gpu
from bundlevisor.control.run.limits import SpareFiles
from bundlevisor.control.run.secret_supply import SecretSupply
from bundlevisor.control.run.shutdown_requests import ShutdownRequests


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """For what comes after the start: the control API, what is written down, and the end."""

    bundle: Bundle
    lock: InstanceLock
    recorder: Recorder
    console: Console
    guardian: Guardian
    ending: ShutdownRequests
    spare: SpareFiles
    secrets: SecretSupply
    socket: socket.socket
    """The control API's, which listens."""
    endpoint: EndpointFiles
    early_health: EarlyHealth
    telemetry: Telemetry
    announcer: Announcer
    edges: Edges
    gpu: Gpu
    specs: dict[str, LaunchSpec]
    board: Board
    supervisor: pykka.ActorRef[Any] | None
    """None in a dry run."""
