"""Which version of the app was started, written down beside the start once that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.files.told import told

if TYPE_CHECKING:
    from bundlevisor.actors.prepare.migration_record import Migrations
    from bundlevisor.control.run.runtime import House

START = 60.0
"""Seconds that a start may take before the app's version is written down beside it."""


def note_version(house: House) -> None:
    """Write down which version of the app was started, once that is over; say a downgrade."""
    house.board.wait(lambda s: s.ready or s.hopeless, START)
    try:
        _migrations(house).started()
    except OSError as error:
        house.console.warn(f"migrations.json could not be written: {told(error)}")


def _migrations(house: House) -> Migrations:
    """Return the record that preparations use, or one for a bundle that has none."""
    services = house.bundle.manifest.services
    if house.world.has_stores or any(one.assets or one.migrations for one in services):
        return house.world.stores.migrations
    from bundlevisor.actors.prepare.migration_record import Migrations

    found = Migrations(house.bundle.app_data, house.bundle.manifest)
    if found.trouble:
        house.set_aside(found.trouble)
    house.tell_news(found)
    return found
