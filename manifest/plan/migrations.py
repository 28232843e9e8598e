"""Which migrations are to be run, planned for a start before anything runs.

A service's phase comes from the app version that its migrations were last through. Phases are
decided together, so that a service that is done first does not change what the next one sees.
"""

from __future__ import annotations

import enum
from collections.abc import Collection

import msgspec

from bundlevisor.manifest.format.schema import Manifest, Migration, Service


class InstallPhase(enum.Enum):
    """What this start of the app is, seen from its version."""

    FIRST_INSTALL = "first_install"
    UPGRADE = "upgrade"
    SAME = "same"
    DOWNGRADE = "downgrade"


class MigrationRecord(msgspec.Struct, frozen=True):
    """What is kept on disk, readable as the Go runtime wrote it (``app_version``, ``applied``).

    ``seen`` holds, for each service, the app version that its migrations were last through; empty
    for one that was never through. A service that is not in it follows ``app_version``.
    """

    app_version: str = ""
    applied: dict[str, list[str]] = {}
    seen: dict[str, str] = {}


class MigrationPlan(msgspec.Struct, frozen=True):
    """What one service has before it: ``version_before`` is empty on the first install."""

    phase: InstallPhase
    version_before: str
    pending: tuple[Migration, ...]


_RUNS_IN = {
    "first_install": InstallPhase.FIRST_INSTALL,
    "install": InstallPhase.FIRST_INSTALL,
    "upgrade": InstallPhase.UPGRADE,
}


def plan(manifest: Manifest, record: MigrationRecord) -> dict[str, MigrationPlan]:
    """Return the plan of every service, in the manifest's order."""
    return {service.id: _plan_service(service, manifest, record) for service in manifest.services}


def bundle_phase(manifest: Manifest, record: MigrationRecord) -> InstallPhase:
    """Return what this start is for the bundle as a whole."""
    return phase(record.app_version, manifest.app.version)


def phase(before: str, now: str) -> InstallPhase:
    """Compare two app versions; no version before is a first install.

    Versions are compared as semantic ones (https://semver.org), as far as they are.
    """
    if not before:
        return InstallPhase.FIRST_INSTALL
    if before == now:
        return InstallPhase.SAME
    return InstallPhase.DOWNGRADE if is_older(now, before) else InstallPhase.UPGRADE


def pending(
    service: Service, applied: Collection[str], current: InstallPhase
) -> tuple[Migration, ...]:
    """Return the migrations that ``service`` runs in a phase, in the manifest's order."""
    return tuple(
        migration
        for migration in service.migrations
        if migration.run_on == "always"
        or (_RUNS_IN[migration.run_on] is current and migration.version not in applied)
    )


def applied(record: MigrationRecord, service: str, version: str) -> MigrationRecord:
    """Return the record after one migration of a service succeeded."""
    versions = record.applied.get(service, [])
    return record if version in versions else _with(record, service, [*versions, version])


def rolled_back(
    record: MigrationRecord, service: str, versions: Collection[str]
) -> MigrationRecord:
    """Return the record of when only these versions of a service had been run."""
    return _with(record, service, [*versions])


def settled(
    record: MigrationRecord, plans: dict[str, MigrationPlan], service: str, now: str
) -> MigrationRecord:
    """Return the record after all migrations of ``service`` succeeded under app version ``now``.

    Services that have not come so far (waiting, failed, on demand) keep what they had before.
    """
    before = {name: item.version_before for name, item in plans.items() if name not in record.seen}
    seen = {**before, **record.seen, service: now}
    return msgspec.structs.replace(record, app_version=now, seen=seen)


def started(record: MigrationRecord, manifest: Manifest) -> MigrationRecord:
    """Return the record after a start of the app: a service without migrations is through.

    So the first migration that such a service is ever given finds an upgrade, as it does with the
    Go runtime, also where another service is not through with its own. The app's version is
    recorded once all are.
    """
    now = manifest.app.version
    without = (service.id for service in manifest.services if not service.migrations)
    seen = record.seen | dict.fromkeys(without, now)
    is_through = all(seen.get(service.id) == now for service in manifest.services)
    version = now if is_through else record.app_version
    return msgspec.structs.replace(record, app_version=version, seen=seen)


def is_older(version: str, other: str) -> bool:
    """Whether a version comes before another one. Versions that are not alike are not older."""
    return _precedence(version) < _precedence(other)


def _with(record: MigrationRecord, service: str, versions: list[str]) -> MigrationRecord:
    return msgspec.structs.replace(record, applied={**record.applied, service: versions})


def _plan_service(service: Service, manifest: Manifest, record: MigrationRecord) -> MigrationPlan:
    before = record.seen.get(service.id, record.app_version)
    current = phase(before, manifest.app.version)
    done = frozenset(record.applied.get(service.id, ()))
    return MigrationPlan(current, before, pending(service, done, current))


Part = tuple[bool, int, str]


def _precedence(version: str) -> tuple[tuple[Part, ...], bool, tuple[Part, ...]]:
    """Return a key by which versions sort: numbers as numbers, pre-releases before releases."""
    release, dash, early = version.strip().removeprefix("v").partition("+")[0].partition("-")
    parts = list(_parts(release))
    while parts and parts[-1] == (False, 0, ""):
        parts.pop()
    return tuple(parts), not dash, _parts(early)


def _parts(text: str) -> tuple[Part, ...]:
    """Return the parts between dots; numbers sort before words."""
    return tuple(_part(part) for part in text.split("."))


def _part(text: str) -> Part:
    """Numbers sort by how many digits they have, and by these: int refuses thousands of them."""
    if not (text.isascii() and text.isdecimal()):
        return True, 0, text
    digits = text.lstrip("0")
    return False, len(digits), digits
