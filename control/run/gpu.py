"""The GPU in one run of a bundle: what was seen of it, who does without, and what is told."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.actors.gpu import presence
from bundlevisor.manifest.format.schema import Manifest

if TYPE_CHECKING:
    from bundlevisor.actors.gpu.details import Details
    from bundlevisor.control.wire import bodies

START = 60.0
"""Seconds that a start may take before the details are asked for beside it."""


class Gpu:
    """Looked for once, at the start; ``emit`` and ``warn`` are told what it means."""

    def __init__(
        self, manifest: Manifest, emit: Callable[..., None], warn: Callable[..., None]
    ) -> None:
        self._emit = emit
        self._warn = warn
        self._details: Details | None = None
        self.presence = presence.look(os.environ)
        if ignored := presence.misunderstood(os.environ):
            warn(ignored)
        self.requirements = {s.id: s.gpu.requirement for s in manifest.services if s.gpu}
        seen = self.presence
        emit(
            "gpu_status",
            None,
            available=seen.available,
            method=seen.method,
            reason=seen.reason,
            requirements=self.requirements,
        )
        self.unusable = self._shortcomings(manifest) if self.requirements else {}
        """Why a service that must have a GPU cannot run, by its id."""

    def _shortcomings(self, manifest: Manifest) -> dict[str, str]:
        from bundlevisor.actors.gpu.requirement import shortcomings

        found = shortcomings(manifest, self.presence)
        for one in found:
            self._emit(one.event, one.service, requirement=one.requirement, message=one.message)
            if one.warns:
                self._warn(one.message, one.service)
        return {one.service: one.message for one in found if one.refused}

    def ask_for_details(self, board: Board) -> None:
        """Find out which GPU it is once the start is over, on a thread; only if that matters."""
        if self.requirements and self.presence.available:
            threading.Thread(target=self._ask, args=(board,), name="gpu", daemon=True).start()

    def _ask(self, board: Board) -> None:
        snapshot = board.wait_decided(START)
        if snapshot.phase is not Phase.RUNNING:
            return
        from bundlevisor.actors.gpu import details

        self._details = details.ask()
        if self._details is None:
            self._emit("gpu_details_unknown", None, patience_s=details.PATIENCE)
        else:
            self._emit("gpu_details", None, name=self._details.name, driver=self._details.driver)

    def view(self) -> bodies.Gpu:
        """Return what is known now."""
        from msgspec import UNSET

        from bundlevisor.control.wire import bodies

        seen, known = self.presence, self._details
        return bodies.Gpu(
            available=seen.available,
            method=seen.method,
            reason=seen.reason,
            requirements=self.requirements,
            name=known.name or UNSET if known else UNSET,
            driver=known.driver or UNSET if known else UNSET,
        )
