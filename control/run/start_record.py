"""The timeline of this start: made from its marks on demand, and kept once everything is ready."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.loop.wall_time import moment, set_by, timestamp
from bundlevisor.actors.telemetry import timeline
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.orderly_stop import FOREVER


class StartRecord:
    """What took how long; safe from any thread."""

    def __init__(self, recorder: Recorder, bundle: Bundle, board: Board) -> None:
        self._recorder = recorder
        self._bundle = bundle
        self._board = board
        self._exec_at = moment() - (time.monotonic() - recorder.exec_at)
        """As a moment: what is reckoned back later has lost the time that the machine slept."""
        self._kept: Timeline | None = None

    def make(self) -> Timeline:
        """Return the timeline as far as the start has come, and none of what is started later."""
        return self._kept or self._assemble()

    def _assemble(self) -> Timeline:
        bundle = self._bundle
        counted = {
            id_: bundle.graph.dependencies(id_)
            for id_, view in self._board.snapshot.services.items()
            if not view.skipped
        }
        made = timeline.assemble(
            self._recorder.since_exec(),
            counted,
            instance_id=bundle.instance_id,
            started_at=timestamp(self._exec_at + set_by()),
            app_version=bundle.manifest.app.version,
        )
        if bundle.options.dry_run:  # nothing of it will ever be ready, and all is shown as such
            return msgspec.structs.replace(made, summary="dry run: no service is started")
        return made

    def usual(self, set_aside: Callable[[str], None]) -> dict[str, float]:
        """Return how long the services' starts have taken until now, in seconds; reads a file."""
        from bundlevisor.actors.telemetry import timelines
        from bundlevisor.actors.telemetry.usual import usual_seconds

        return usual_seconds(timelines.read(self._bundle.app_data, set_aside))

    def keep(self, emit: Callable[..., None], warn: Callable[[str], None]) -> None:
        """Wait until everything is ready, then say it and write it down. Blocks its thread."""
        snapshot = self._board.wait_decided(
            FOREVER, lambda s: s.ready or s.phase is not Phase.RUNNING
        )
        if not snapshot.ready:
            return
        from bundlevisor.actors.telemetry import timelines

        made = self._kept = self._assemble()
        emit("ready", None, after_ms=made.ready_ms, summary=made.summary)
        try:
            timelines.add(
                self._bundle.app_data,
                made,
                lambda reason: emit("state_set_aside", None, reason=reason),
            )
        except OSError as error:
            warn(f"the timeline of this start could not be kept: {error_text(error)}")
