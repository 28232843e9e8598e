"""Which assets have been found right: ``<app-data>/runtime/verified.json``, by the asset's path."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from bundlevisor.actors.files import atomic, json_text
from bundlevisor.manifest.format.app_data import VERIFIED, below
from bundlevisor.manifest.plan.assets import Verified


class VerifiedAssets:
    """What earlier starts have hashed; safe from any thread. Losing it costs only time.

    ``report`` hears of a file that is set aside when it is read.
    """

    def __init__(self, app_data: str, report: Callable[[str], object] = atomic.unheard) -> None:
        self._path = below(app_data, VERIFIED)
        self._lock = threading.Lock()
        self._known: dict[str, Verified] | None = None
        self._report = report

    def known(self) -> dict[str, Verified]:
        """Return what is known, read at the first use."""
        with self._lock:
            return dict(self._read())

    def remember(self, more: dict[str, Verified]) -> None:
        """Add what was found right; a disk that cannot take it is no error."""
        if not more:
            return
        with self._lock, contextlib.suppress(OSError):
            self._known = self._read() | more
            atomic.write(self._path, json_text.encode_kept(self._known), durable=False)

    def _read(self) -> dict[str, Verified]:
        if self._known is None:
            found, trouble = atomic.read_or_set_aside(self._path, _parse)
            self._known = found or {}
            if trouble:
                self._report(trouble)
        return self._known


def peek(app_data: str) -> dict[str, Verified]:
    """Return what is known, and touch nothing; a file that is of no use says nothing."""
    try:
        return _parse(atomic.read(below(app_data, VERIFIED)))
    except (OSError, ValueError):
        return {}


def _parse(data: bytes) -> dict[str, Verified]:
    return json_text.decode_kept(data, dict[str, Verified])
