"""One bundle on this machine: the manifest with the places and names of this instance."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from bundlevisor.actors.core.snapshot import ServiceView, State
from bundlevisor.actors.files.instance import Instance
from bundlevisor.actors.loop.wall_time import moment
from bundlevisor.actors.process import table
from bundlevisor.control.run.options import RunOptions
from bundlevisor.manifest.format import paths
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph
from bundlevisor.manifest.read.load import Loaded


class Bundle:
    """What is run, and where. Raises PathRefused where a link leads a file of ours out."""

    def __init__(
        self,
        manifest: Manifest,
        loaded: Loaded,
        options: RunOptions,
        app_data: str,
        instance_id: str,
    ) -> None:
        self.manifest = manifest
        self.loaded = loaded
        self.options = options
        self.app_data = app_data
        self.instance_id = instance_id
        self.graph = Graph.of(manifest)
        self.root = options.root
        self.token_path = paths.resolve(app_data, manifest.ipc.auth_token_path)
        self.telemetry_path = paths.resolve(app_data, manifest.telemetry.file)
        self.started_at = moment()

    def record(self, host: str, port: int) -> Instance:
        """Return what is written down of this instance, whose API listens there."""
        return Instance(
            instance_id=self.instance_id,
            pid=os.getpid(),
            created=table.created(os.getpid()) or 0.0,
            host=host,
            port=port,
            token_path=self.token_path,
            manifest=os.path.abspath(self.options.manifest),
            started_at=self.started_at,
            bundle_root=self.root,
            overlays=tuple(map(os.path.abspath, self.options.overlay)),
        )

    def warn_of_sockets(self, warn: Callable[[str, str], object]) -> None:
        """Say which services want a listening socket, where none can be handed over."""
        for service in self.manifest.services:
            names = [r.name for r in service.port_requests if r.requires_socket]
            if names:
                warn(
                    f"service '{service.id}': this platform cannot hand over the listening socket "
                    f"of {', '.join(names)}; the service gets the port's number only",
                    service.id,
                )

    def first_views(
        self, ports: Mapping[str, dict[str, int]], *, dry_run: bool
    ) -> dict[str, ServiceView]:
        """Return the picture before anything has happened."""
        return {
            service.id: ServiceView(
                id=service.id,
                state=State.READY if dry_run else State.WAITING,
                message="dry-run" if dry_run else "",
                updated_at=self.started_at,
                critical=service.critical,
                ports=ports.get(service.id, {}),
                on_demand=service.on_demand,
                skip_reason=str(service.metadata.get("skip_reason") or ""),
            )
            for service in self.manifest.services
        }
