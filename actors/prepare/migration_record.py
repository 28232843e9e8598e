"""Which migrations have been run: ``<app-data>/migrations.json``, as the Go runtime wrote it.

The plan of every service is made at the start of the runtime, before anything runs, and again where
data has been put back. What was run is written down one by one, so that a kill -9 between two
migrations loses neither of them.
"""

from __future__ import annotations

import threading

import msgspec

from bundlevisor.actors.files import atomic
from bundlevisor.actors.process.children import SHORTAGES
from bundlevisor.manifest.format.app_data import MIGRATIONS, below
from bundlevisor.manifest.format.schema import Manifest, Migration
from bundlevisor.manifest.plan import migrations
from bundlevisor.manifest.plan.migrations import InstallPhase, MigrationPlan, MigrationRecord

UNKNOWN = (
    "so it is not known which migrations have been run: put it right, or remove it to begin as on"
    " a first install"
)


class Migrations:
    """The record of one app-data and the plans that were made from it; safe from any thread.

    OSError where there is nothing to read it by (``SHORTAGES``), which says nothing of it.
    """

    def __init__(self, app_data: str, manifest: Manifest) -> None:
        self._path = below(app_data, MIGRATIONS)
        self._manifest = manifest
        self._lock = threading.Lock()
        record: MigrationRecord | None = None
        self._unusable: OSError | None = None
        try:
            record = atomic.read_or_fail(self._path, _parse)
        except OSError as error:
            if error.errno in SHORTAGES:
                raise
            self._unusable = OSError(error.errno, f"{error.strerror}, {UNKNOWN}", self._path)
        self._record = self._before = record or MigrationRecord()
        self._plans = migrations.plan(manifest, self._record)
        self._done: set[tuple[str, str]] = set()

    @property
    def phase(self) -> InstallPhase:
        """What this start is for the bundle as a whole."""
        return migrations.bundle_phase(self._manifest, self._before)

    @property
    def version_before(self) -> str:
        """The app's version that was recorded last; empty on the first install."""
        return self._before.app_version

    def news(self) -> list[tuple[str, dict[str, object]]]:
        """Return the events that are worth telling."""
        if self.phase is not InstallPhase.DOWNGRADE:
            return []
        return [("app_downgraded", {"from": self.version_before, "to": self._manifest.app.version})]

    def check(self) -> None:
        """Raise OSError where it is not known what has been run, nor can be written down."""
        if self._unusable is not None:
            raise self._unusable

    def plan(self, service_id: str) -> MigrationPlan:
        """Return the plan of a service without what has succeeded since the runtime started.

        Raises OSError where it is not known what has been run: a first install would be planned.
        """
        self.check()
        plan = self._plans[service_id]
        left = tuple(m for m in plan.pending if (service_id, m.version) not in self._done)
        return msgspec.structs.replace(plan, pending=left)

    def succeeded(self, service_id: str, migration: Migration) -> None:
        """Write down that a migration was run; OSError when it cannot be written."""
        with self._lock:
            self._done.add((service_id, migration.version))
            self._write(migrations.applied(self._record, service_id, migration.version))

    def settled(self, service_id: str) -> None:
        """Write down that a service is through with all of them under the present version."""
        with self._lock:
            self._write(
                migrations.settled(
                    self._record, self._plans, service_id, self._manifest.app.version
                )
            )

    def started(self) -> None:
        """Write down that the app was started in its present version."""
        with self._lock:
            self._write(migrations.started(self._record, self._manifest))

    def rolled_back(self, service_id: str, applied: tuple[str, ...]) -> None:
        """Write down that a service's data is what it was when only ``applied`` had been run.

        The others are due again, also those that an earlier start of the runtime has run.
        """
        with self._lock:
            self._done = {(id_, version) for id_, version in self._done if id_ != service_id}
            self._before = migrations.rolled_back(self._before, service_id, applied)
            self._plans = migrations.plan(self._manifest, self._before)
            self._write(migrations.rolled_back(self._record, service_id, applied))

    def applied(self, service_id: str) -> tuple[str, ...]:
        """Return the versions that have been run for a service."""
        return tuple(self._record.applied.get(service_id, ()))

    def _write(self, record: MigrationRecord) -> None:
        self.check()
        if record != self._record:
            atomic.write(self._path, msgspec.json.encode(record))
            self._record = record


def _parse(data: bytes) -> MigrationRecord:
    return msgspec.json.decode(data, type=MigrationRecord)
