"""The control API of this instance: brought up beside the booting services, and what it knows.

Nothing of this file, nor what it imports, is there before the first spawn.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from bundlevisor.control.http.server import ControlServer
from bundlevisor.control.run.given_up import GivenUp, Work
from bundlevisor.control.run.local_runtime import LocalRuntime, ServiceLogs
from bundlevisor.control.run.progress_meter import ProgressMeter
from bundlevisor.control.run.resource_limits import shortage, why
from bundlevisor.control.run.start_record import StartRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.actors.prepare.cancelled import Wanted
    from bundlevisor.control.run.bundle_on_disk import BundleOnDisk
    from bundlevisor.control.run.parts import Parts
    from bundlevisor.control.wire.facade import Facts

PATIENCE = 3.0
"""Seconds that the services have to start before the program's files are held: to look at nine
hundred of them takes the interpreter from launches."""
LOOK_EVERY = 0.002
"""Seconds between two looks whether services are being launched."""
CLOSING, UNDOING = 1.0, 2.0
"""Seconds that the end waits for answers, and for a file of bytecode that was just being made."""
SENDING = 5.0
"""Seconds that it waits for answers of which something is sent every ``CLOSING`` s: who follows
logs gets their ends, however much that is."""
HELD_ON_DISK = "the installed files are needed as long as this runs"


class Api:
    """Answers for a runtime that is up."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._holding = Work()
        self.start_record = StartRecord(parts.recorder, parts.bundle, parts.board)
        self._logs = ServiceLogs(parts.specs, parts.edges.context)
        graph = parts.bundle.graph
        self.progress = ProgressMeter(
            {id_: graph.dependencies(id_) for id_ in graph.start_order}, self._logs.last_line
        )
        held = parts.early_health.hand_over()
        self.server = ControlServer(self._facade(), parts.endpoint.token, parts.socket, held)

    def make_way(self) -> None:
        """Leave the interpreter to the stop; safe from any thread."""
        self._holding.end(0.0)

    def stop(self) -> None:
        """Answer no more, and leave nothing half made; safe from any thread."""
        self.server.stop(CLOSING, SENDING)
        self._holding.end(UNDOING)

    def _facade(self) -> LocalRuntime:
        parts = self._parts
        return LocalRuntime(
            board=parts.board,
            port=parts.endpoint.port,
            make_facts=lambda: self.facts,
            open_vault=parts.secrets.vault,
            logs=self._logs,
            events=parts.telemetry,
            supervisor=parts.supervisor,
            ending=parts.ending,
            context=parts.edges.context,
            fault=parts.console.fault,
            validate=self._validate,
            timeline=self.start_record.make,
            progress=self.progress.measure,
            gpu=parts.gpu.view,
            bundle_note=self._bundle_note,
        )

    def go_on_beside(self, follow: Callable[..., None]) -> None:
        """Do what has waited for the API to be up, while services may still be starting.

        ``follow(console, board, measure)`` shows a person how far they are. Never raises: what
        cannot be had is told, and the rest goes on.
        """
        parts = self._parts
        for lack, step in (
            ("files are not watched", self._watch),
            ("how far the start is is not shown", lambda: self._show(follow)),
            (HELD_ON_DISK, self._begin_holding),
            ("which GPU it is stays unknown", lambda: parts.gpu.ask_for_details(parts.board)),
            ("how long is left is not known", self._learn),
            ("the app's version is not kept", self._note_version),
            ("the timeline of this start is not kept", self._keep_record),
        ):
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the API answers, and services run
                self._tell_lack(lack, error)

    def _tell_lack(self, lack: str, error: Exception) -> None:
        if isinstance(error, OSError | ImportError) or shortage(error):
            self._parts.console.warn(f"{lack}: {why(error)}")
        else:
            self._parts.console.fault(lack, error)

    def _watch(self) -> None:
        if self._parts.bundle.options.watch:
            from bundlevisor.control.run import watching

            watching.begin(self._parts)

    def _show(self, follow: Callable[..., None]) -> None:
        parts = self._parts
        if parts.console.human:
            shown = parts.console, parts.board, self.progress.measure
            threading.Thread(target=follow, args=shown, daemon=True).start()

    def _begin_holding(self) -> None:
        threading.Thread(target=self._hold_code, name="holding", daemon=True).start()

    def _learn(self) -> None:
        parts = self._parts
        if parts.supervisor is not None and not parts.board.snapshot.ready:
            self.progress.learn(self.start_record.usual(parts.announcer.set_aside))

    def _note_version(self) -> None:
        """Blocks its thread until readiness is decided, and so does what follows."""
        if self._parts.supervisor is not None:
            from bundlevisor.control.run.version_record import note_version

            note_version(self._parts)

    def _keep_record(self) -> None:
        parts = self._parts
        if parts.supervisor is not None:
            self.start_record.keep(parts.announcer.emit, parts.console.warn)

    def _hold_code(self) -> None:
        """Once the start is over, look for nothing that this needs on the disk: it may be gone."""
        try:
            from bundlevisor.control.run import kept_modules

            kept_modules.keep(self._parts.guardian, self._holding, self._give_way, self._be_over)
        except GivenUp:
            return
        except Exception as error:  # noqa: BLE001 - all goes on as long as the files are there
            self._tell_lack(HELD_ON_DISK, error)

    def _give_way(self) -> None:
        """Wait while services are launched; raises GivenUp when the runtime ends."""
        self._holding.check()
        until = time.monotonic() + PATIENCE
        while self._parts.loop.is_busy and not self._parts.board.snapshot.decided:
            if time.monotonic() >= until:
                return
            time.sleep(LOOK_EVERY)
            self._holding.check()

    def _be_over(self) -> None:
        """Wait for the end of the start.

        That all are ready may never come, where one has failed or waits for a secret.
        """
        self._parts.board.wait_decided(PATIENCE)

    @functools.cached_property
    def facts(self) -> Facts:
        """What does not change while this instance lives."""
        from bundlevisor.control.wire import version
        from bundlevisor.control.wire.facade import Facts

        bundle = self._parts.bundle
        return Facts(
            manifest=bundle.manifest,
            manifest_hash=bundle.loaded.sha256,
            instance_id=bundle.instance_id,
            started_at=bundle.started_at,
            app_data_dir=bundle.app_data,
            bundle_root=bundle.root,
            dry_run=bundle.options.dry_run,
            ipc_host=self._parts.endpoint.host,
            ipc_port=self._parts.endpoint.port,
            telemetry_path=bundle.telemetry_path,
            runtime_version=version.VERSION,
            build_version=version.build(),
            pid=os.getpid(),
        )

    def _bundle_note(self) -> str:
        return self._on_disk.note()

    @functools.cached_property
    def _on_disk(self) -> BundleOnDisk:
        from bundlevisor.control.run.bundle_on_disk import BundleOnDisk

        return BundleOnDisk(self._parts.bundle, self._parts.announcer.emit)

    def _validate(self, wanted: Wanted) -> Any:
        from bundlevisor.control.wire import findings

        bundle, services = self._parts.bundle, self._parts.board.snapshot.services
        return findings.report(
            bundle.options.manifest,
            bundle.root,
            bundle.app_data,
            full=bundle.options.verify == "full",
            ports={id_: view.ports for id_, view in services.items()},
            overlays=bundle.options.overlay,
            wanted=wanted,
        )
