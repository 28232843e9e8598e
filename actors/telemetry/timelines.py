"""The last starts of this app-data: ``<app-data>/runtime/timelines.json``, the newest last."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bundlevisor.actors.files import atomic
from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.manifest.format.app_data import TIMELINES, below

KEPT = 20
"""How many starts are remembered."""


def read(app_data: str, report: Callable[[str], object]) -> list[Timeline]:
    """Return the earlier starts, oldest first; ``report`` hears of a torn file, which is none."""
    found, trouble = atomic.read_or_set_aside(below(app_data, TIMELINES), _parse)
    if trouble:
        report(trouble)
    return found or []


def add(app_data: str, timeline: Timeline, report: Callable[[str], object]) -> None:
    """Remember a start, once; raises OSError. ``report`` as in :func:`read`."""
    others = [old for old in read(app_data, report) if old.instance_id != timeline.instance_id]
    kept = [*others, timeline][-KEPT:]
    atomic.write(below(app_data, TIMELINES), msgspec.json.encode(kept), durable=False)


def _parse(data: bytes) -> list[Timeline]:
    return msgspec.json.decode(data, type=list[Timeline])
