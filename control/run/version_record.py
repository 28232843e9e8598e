"""Which version of the app was started, written down beside the start once that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.files.own_file import error_text

if TYPE_CHECKING:
    from bundlevisor.actors.prepare.migration_record import Migrations
    from bundlevisor.control.run.parts import Parts

START = 60.0
"""Seconds that a start may take before the app's version is written down beside it."""


def note_version(parts: Parts) -> None:
    """Write down which version of the app was started, once that is over; tell of a downgrade."""
    parts.board.wait_decided(START)
    try:
        _migrations(parts).started()
    except OSError as error:
        parts.console.warn(f"migrations.json could not be written: {error_text(error)}")


def _migrations(parts: Parts) -> Migrations:
    """Return the record that preparations use, or one for a bundle that has none."""
    services = parts.bundle.manifest.services
    if parts.edges.context.has_stores or any(one.assets or one.migrations for one in services):
        return parts.edges.context.stores.migrations
    from bundlevisor.actors.prepare.migration_record import Migrations

    found = Migrations(parts.bundle.app_data, parts.bundle.manifest)
    parts.announcer.tell_news(found)
    return found
