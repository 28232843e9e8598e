"""The start of a bundle: ports are chosen, and the supervisor starts with all that it needs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pykka

from bundlevisor.actors.collaborators import Collaborators, NoSecrets, Plan
from bundlevisor.actors.core.messages import StartBundle, SystemResumed
from bundlevisor.actors.core.snapshot import Phase, Snapshot
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.ports.allocator import PortAllocator
from bundlevisor.actors.process.children import SOCKET_ACTIVATION
from bundlevisor.actors.service import ServiceActor
from bundlevisor.actors.supervisor import Supervisor
from bundlevisor.actors.telemetry import milestones
from bundlevisor.control.run.console_events import Announcer
from bundlevisor.control.run.edges import Edges
from bundlevisor.control.run.gpu import Gpu
from bundlevisor.control.run.opening import Opening
from bundlevisor.control.run.resource_limits import why
from bundlevisor.control.run.secret_supply import SecretSupply
from bundlevisor.control.wire.exit_codes import NO

if TYPE_CHECKING:
    from bundlevisor.actors.ports.service_ports import Ports
    from bundlevisor.actors.ports.shortages import Shortage


LAUNCHING = 0.2
"""Seconds, at most, that imports for the API wait for launches: of two threads the interpreter runs
one at a time."""


class BundleStart:
    """Starts the services of a bundle, once."""

    def __init__(
        self,
        opened: Opening,
        specs: Mapping[str, LaunchSpec],
        announcer: Announcer,
        edges: Edges,
        secrets: SecretSupply,
    ) -> None:
        self._opened = opened
        self._specs = specs
        self._announcer = announcer
        self._edges = edges
        self._secrets = secrets

    def begin(self) -> tuple[Gpu, pykka.ActorRef[Any] | None]:
        """Start what waits for nothing; return the supervisor, None in a dry run."""
        opened, announcer, edges = self._opened, self._announcer, self._edges
        bundle, warn = opened.bundle, opened.console.warn
        own_port = opened.endpoint.port
        self._tell_start(own_port)
        gpu = Gpu(bundle.manifest, announcer.emit, warn)
        allocator = PortAllocator(
            bundle.manifest,
            edges.port_memory,
            own_port,
            edges.context.reserved,
            announcer.set_aside,
        )
        ports, shortages = allocator.choose()
        opened.recorder.mark(milestones.PORTS)
        if not SOCKET_ACTIVATION:
            bundle.warn_of_sockets(warn)
        supervisor = None
        if bundle.options.dry_run:
            self._pretend(ports)
        else:
            supervisor = self._supervise(gpu, allocator, ports, shortages)
        # behind the starts that it has been told to make, and what others build meanwhile
        loop, launched = opened.loop, edges.launched.set
        loop.call_soon(lambda: loop.call_soon(lambda: loop.call_idle(launched)))
        loop.call_at(time.monotonic() + LAUNCHING, launched)
        return gpu, supervisor

    def _tell_start(self, own_port: int) -> None:
        """Tell what is started, what is wrong with it, and of a control port that was taken."""
        bundle, emit = self._opened.bundle, self._announcer.emit
        manifest, found = bundle.manifest, bundle.loaded.findings
        emit(
            "runtime_start",
            None,
            app=manifest.app.name,
            version=manifest.app.version,
            services=len(manifest.services),
            instance_id=bundle.instance_id,
            pid=os.getpid(),
            port=own_port,
            dry_run=bundle.options.dry_run,
        )
        failing, warnings = found.service_errors, found.warnings
        emit(
            "bundle_validation",
            None,
            valid=not failing,
            errors=len(failing),
            warnings=len(warnings),
            codes=sorted({one.code for one in (*failing, *warnings)}),
        )
        if manifest.ipc.port not in (0, own_port):
            emit("ipc_port_reassigned", None, previous=manifest.ipc.port, port=own_port)

    def _pretend(self, ports: Ports) -> None:
        """Show every service as ready, with the ports that it would have; start none."""
        self._edges.context.reserved.release_all()
        self._opened.console.info(
            "dry run: no service is started (use 'bundlevisor run', or --dry-run=false)"
        )
        views = self._opened.bundle.first_views(ports, dry_run=True)
        self._opened.board.publish(Snapshot(version=1, phase=Phase.RUNNING, services=views))

    def _supervise(
        self, gpu: Gpu, allocator: PortAllocator, ports: Ports, shortages: dict[str, Shortage]
    ) -> pykka.ActorRef[Any]:
        """Start the supervisor, and by it every service that waits for no other."""
        opened, secrets = self._opened, self._secrets
        bundle, loop, emit = opened.bundle, opened.loop, self._announcer.emit
        needs_secrets = bool(bundle.manifest.secrets)
        unusable = gpu.unusable | {
            finding.service: finding.message for finding in bundle.loaded.findings.service_errors
        }
        collaborators = Collaborators(
            board=opened.board,
            emit=emit,
            fault=opened.console.fault,
            spawn_actor=self._spawn_actor,
            chooser=allocator,
            vault=secrets.prepare(self._specs.values(), ports) if needs_secrets else NoSecrets(),
        )
        plan = Plan(
            bundle.manifest, bundle.graph, ports, unusable, gpu.presence.available, shortages
        )
        supervisor = Supervisor.start(plan, collaborators, loop)
        self._edges.record.await_charge()
        supervisor.tell(StartBundle())
        loop.hear_of_resume(lambda seconds: supervisor.tell(SystemResumed(seconds)))
        if needs_secrets:
            secrets.settle(supervisor, emit)
        if ports:
            allocator.remember(ports)
        return supervisor

    def _spawn_actor(
        self,
        service_id: str,
        supervisor: pykka.ActorRef[Any],
        *inherited: Any,
    ) -> pykka.ActorRef[Any]:
        """Start an actor, which may have inherited life and process of a broken one."""
        spec, context = self._specs[service_id], self._edges.context
        try:
            return ServiceActor.start(spec, context, supervisor, *inherited)
        except (OSError, RuntimeError, MemoryError) as error:  # no thread for it
            self._opened.ending.ask(f"cannot start '{service_id}': {why(error)}", NO)
            raise
