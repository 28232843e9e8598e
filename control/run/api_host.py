"""The control API of this instance: brought up beside the booting services, and what it knows.

Nothing of this file, nor what it imports, is there before the first spawn.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from bundlevisor.control.http.server import ControlServer
from bundlevisor.control.run.local_runtime import Running, ServiceLogs
from bundlevisor.control.run.start_record import StartRecord

if TYPE_CHECKING:
    from bundlevisor.control.run.runtime import House
    from bundlevisor.control.wire.facade import Facts


class Api:
    """Answers for a house that is up."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.start_record = StartRecord(house.recorder, house.bundle, house.board)
        self.server = ControlServer(self._facade(), house.token, house.socket)

    def _facade(self) -> Running:
        house = self._house
        return Running(
            board=house.board,
            make_facts=lambda: self.facts,
            open_vault=house.secrets.vault,
            logs=ServiceLogs(house.blueprints, house.world),
            events=house.telemetry,
            supervisor=house.supervisor,
            ending=house.ending,
            world=house.world,
            report_fault=house.console.fault,
            validate_bundle=self._validate,
            make_timeline=self.start_record.make,
            view_gpu=house.gpu.view,
        )

    @functools.cached_property
    def facts(self) -> Facts:
        """What does not change while this instance lives."""
        from bundlevisor.control.wire import version
        from bundlevisor.control.wire.facade import Facts

        bundle = self._house.bundle
        return Facts(
            manifest=bundle.manifest,
            manifest_hash=bundle.loaded.sha256,
            instance_id=bundle.instance_id,
            started_at=bundle.started_at,
            app_data_dir=bundle.app_data,
            bundle_root=bundle.root,
            dry_run=bundle.options.dry_run,
            ipc_host=self._house.host,
            ipc_port=self._house.port,
            telemetry_path=bundle.telemetry_path,
            runtime_version=version.VERSION,
            build_version=version.build(),
            pid=os.getpid(),
        )

    def _validate(self) -> Any:
        from bundlevisor.control.wire import findings

        bundle, services = self._house.bundle, self._house.board.snapshot.services
        return findings.report(
            bundle.options.manifest,
            bundle.root,
            bundle.app_data,
            full=bundle.options.verify == "full",
            ports={id_: view.ports for id_, view in services.items()},
        )
