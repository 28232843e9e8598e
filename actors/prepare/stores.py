"""What preparations remember on disk."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bundlevisor.actors.prepare.data_snapshot import DataSnapshots
from bundlevisor.actors.prepare.migration_record import Migrations
from bundlevisor.actors.prepare.verified_assets import VerifiedAssets
from bundlevisor.manifest.format.schema import Manifest


class Stores(msgspec.Struct, frozen=True):
    """What preparations remember on disk, shared by all services of the bundle."""

    manifest: Manifest
    migrations: Migrations
    snapshots: DataSnapshots
    verified: VerifiedAssets
    verify_all: bool = False
    """Hash every asset that has a sum, whatever earlier starts have found."""


def open_stores(
    manifest: Manifest, app_data: str, *, report: Callable[[str], object], verify_all: bool
) -> Stores:
    """Read what earlier starts left; nothing stops the start.

    ``report`` hears a sentence when what was verified is set aside, once it is looked into.
    """
    return Stores(
        manifest,
        Migrations(app_data, manifest),
        DataSnapshots(app_data),
        VerifiedAssets(app_data, report),
        verify_all,
    )
