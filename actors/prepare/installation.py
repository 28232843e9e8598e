"""What a bundle brings for a service: its assets are looked at, its migrations are run.

On the thread of a :class:`bundlevisor.actors.prepare.preparation.Preparation`. Migrations that have
succeeded are not run again while the runtime lives.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from bundlevisor.actors.core.messages import ProgressMade
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.launch.spec import have_data_dirs
from bundlevisor.actors.loop.paced import Paced
from bundlevisor.actors.prepare import assets, folder_copy
from bundlevisor.actors.prepare.cancelled import Cancelled
from bundlevisor.actors.prepare.data_snapshot import Taken, TooLarge
from bundlevisor.actors.prepare.means import Task
from bundlevisor.actors.prepare.migration_runner import Migrator, Result
from bundlevisor.actors.telemetry import milestones
from bundlevisor.manifest.format.paths import within
from bundlevisor.manifest.format.reserved_paths import holds_own
from bundlevisor.manifest.format.schema import Migration
from bundlevisor.manifest.plan.migrations import InstallPhase, MigrationPlan

LAST_CHARACTERS = 8192
"""Characters of a failed migration's output that are told with it."""
CUT_SHORT = "an earlier upgrade did not come to its end"
CLOCK = 2.0
"""Seconds by which a file's time of change may be coarser than the clock: FAT's are 2 s apart."""
SAY_AFTER = 2.0
"""Seconds that a migration may take before its progress is worth a word."""


class Installation:
    """For one incarnation; blocks the thread that calls :meth:`run`."""

    def __init__(self, task: Task) -> None:
        self._spec = task.spec
        self._service = task.spec.service
        self._means = task.means
        self._incarnation = task.incarnation
        self._paced = Paced(task.means.loop, task.tell)
        self._speaks = False
        """Whether the present migration says itself how far it is."""
        self._cancelled = threading.Event()
        self._migrator = Migrator(task)
        self._stores = task.means.stores()

    def cancel(self) -> None:
        """Give up as soon as possible. Any thread."""
        self._cancelled.set()
        self._migrator.cancel()

    def _is_wanted(self) -> bool:
        return not self._cancelled.is_set()

    def _say(self, text: str) -> None:
        self._paced.put(ProgressMade(self._incarnation, text, "migration"))

    def put_back(self) -> str:
        """Undo an upgrade that was cut short; return why that cannot be, in a sentence.

        OSError where it is not known whether there was one.
        """
        unfinished = self._stores.snapshots.find(self._service.id)
        if unfinished is None:
            with suppress(OSError):  # what a copy that was cut short has left
                self._stores.snapshots.drop(self._service.id)
        elif not unfinished.upgraded:
            try:
                self._put_back(unfinished, CUT_SHORT)
            except Cancelled:
                return "cancelled"
            except OSError as error:
                return f"{CUT_SHORT}, and {_not_back(error)}"
        return ""

    def run(self) -> str:
        """Return why the service cannot be started, in a sentence; empty when it can."""
        try:
            return self._look_at_assets() or self._migrate()
        except Cancelled:
            return "cancelled"

    def _look_at_assets(self) -> str:
        """Return why the assets are not right, in a sentence; empty when they are."""
        with self._means.timed(milestones.ASSETS):
            look = assets.look(
                self._service,
                self._spec.index,
                self._spec.site.bundle_root,
                self._stores.verified.known(),
                full=self._stores.verify_all,
                wanted=self._is_wanted,
                begun=self._look_begun,
            )
        for finding in (*look.failures, *look.warnings):
            details = {"code": finding.code, "message": finding.message}
            self._means.emit(finding.code, self._service.id, **details)
        self._stores.verified.remember(look.verified)
        return "; ".join(finding.message for finding in look.failures)

    def _look_begun(self, place: int) -> None:
        count = len(self._service.assets)
        text = f"asset {self._service.assets[place].path} ({place + 1} of {count})"
        self._paced.put(ProgressMade(self._incarnation, text, "assets", place / count))

    def _migrate(self) -> str:
        """Run what is pending; return why one failed, in a sentence."""
        id_, migrations = self._service.id, self._stores.migrations
        if not self._service.migrations:
            return ""
        have_data_dirs(self._spec)
        plan = migrations.plan(id_)
        if plan.pending:
            with self._means.timed(milestones.MIGRATIONS):
                trouble = self._run_all(plan)
            if trouble:
                return trouble
        self._stores.snapshots.upgraded(id_)
        migrations.settled(id_)
        return ""

    def _run_all(self, plan: MigrationPlan) -> str:
        for number, migration in enumerate(plan.pending, 1):
            if plan.phase is InstallPhase.UPGRADE and migration.run_on == "upgrade":
                self._take_snapshot(plan)
            began = time.time()
            result = self._run_one(migration, number, len(plan.pending))
            if not result.trouble and migration.run_on != "always":
                result = self._on_disk(began)
            if result.trouble:
                return self._failed(migration, result)
            self._stores.migrations.succeeded(self._service.id, migration)
            self._means.emit("migration_applied", self._service.id, version=migration.version)
        return ""

    def _run_one(self, migration: Migration, number: int, count: int) -> Result:
        what = f"migration {migration.version} ({number} of {count})"
        self._paced.put(ProgressMade(self._incarnation, what, "migration"))
        self._means.emit("migration_start", self._service.id, version=migration.version)

        def progress(seconds: float) -> None:
            if seconds >= SAY_AFTER and not self._speaks:
                limit = migration.timeout_ms / 1000
                taken = f"{what}, {seconds:.0f} s of at most {limit:g}"
                self._paced.put(ProgressMade(self._incarnation, taken, "migration"))

        def on_progress(text: str, fraction: float) -> None:
            self._speaks = True
            said = f"{what}: {text}" if text else what
            self._paced.put(ProgressMade(self._incarnation, said, "migration", fraction))

        self._speaks = False
        return self._migrator.run(migration, progress, on_progress)

    def _on_disk(self, since: float) -> Result:
        """Have on disk what was changed, before the record says there that it need not be again."""
        try:
            for folder in self._spec.data_folders():
                folder_copy.have_on_disk(folder, self._is_wanted, since - CLOCK)
        except OSError as error:
            return Result(error_text(error))
        return Result()

    def _failed(self, migration: Migration, result: Result) -> str:
        id_ = self._service.id
        if self._cancelled.is_set():
            return f"migration {migration.version} was cut short"
        self._means.emit(
            "migration_failed",
            id_,
            version=migration.version,
            error=result.trouble,
            last_lines=result.output[-LAST_CHARACTERS:],
        )
        lack = ""
        try:
            taken = self._stores.snapshots.find(id_)
            if taken is not None and not taken.upgraded:
                self._put_back(taken, f"migration {migration.version} failed")
        except OSError as error:
            lack = f"; {_not_back(error)}"
        from bundlevisor.actors.core.crash_reason import find_reason, last_said

        reason = (last_said if result.ended else find_reason)(result.output).line
        said = f"{'; it last said' if result.ended else ''}: {reason}" if reason else ""
        return f"migration_failed: migration {migration.version}: {result.trouble}{said}{lack}"

    def _take_snapshot(self, plan: MigrationPlan) -> None:
        """Copy the data before the first upgrade migration; without room the upgrade goes on."""
        id_, snapshots = self._service.id, self._stores.snapshots
        present = snapshots.find(id_)
        if present is not None and not present.upgraded:
            return
        shared = [one for one in self._service.data_dirs if holds_own(one, self._stores.manifest)]
        if shared:
            reason = f"the folder '{shared[0]}' also holds files of the runtime"
            self._means.emit("migration_snapshot_skipped", id_, reason=reason)
            return
        folders = _outermost(self._spec.data_folders())
        if not folders:  # what it changes lies elsewhere, and stays as those left it that were run
            return
        applied, app_data = self._stores.migrations.applied(id_), self._spec.site.app_data
        taken = Taken(folders, applied, plan.version_before, app_data=app_data)
        self._say("its data is copied before the upgrade")
        secrets = self._means.secret_files().paths() if self._stores.manifest.secrets else ()
        try:
            snapshots.take(id_, taken, self._service.snapshot.max_bytes, secrets, self._is_wanted)
        except (TooLarge, OSError) as error:
            reason = error_text(error) if isinstance(error, OSError) else str(error)
            self._means.emit("migration_snapshot_skipped", id_, reason=reason)
        else:
            self._means.emit("migration_snapshot_taken", id_, folders=list(folders))

    def _put_back(self, taken: Taken, reason: str) -> None:
        id_ = self._service.id
        self._stores.migrations.check()
        if self._spec.reads_secret_files:  # where nobody would look for them, if this is cut short
            self._means.secret_files().remove_for(id_)
        logs = self._means.log_paths()
        self._say("its data is put back")
        self._stores.snapshots.put_back(id_, taken, logs, self._means.closed_logs, self._is_wanted)
        self._stores.migrations.rolled_back(id_, taken.applied)
        self._stores.snapshots.drop(id_)
        self._means.emit("migration_rolled_back", id_, reason=reason)


def _outermost(folders: Iterable[str]) -> tuple[str, ...]:
    """Return those that lie in no other one, which is copied, and put back, with all in it."""
    found: list[str] = []
    for folder in sorted(folders, key=len):
        if not any(within(folder, other) for other in found):
            found.append(folder)
    return tuple(found)


def _not_back(error: OSError) -> str:
    return f"its data could not be put back, which the next start tries again: {error_text(error)}"
