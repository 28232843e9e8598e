"""Running one migration: a process with the service's log, in a tree that ends with the runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.launch.spec import CannotLaunch
from bundlevisor.actors.launch.tracked_process import LOG_PATIENCE, TrackedProcess
from bundlevisor.actors.loop.working_time import WorkingTime
from bundlevisor.actors.prepare.means import Task
from bundlevisor.actors.process import binary, children
from bundlevisor.actors.process.exit_reason import describe_exit, is_own_failure
from bundlevisor.actors.process.table.found import GRACE_S
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.manifest.format.schema import Migration
from bundlevisor.manifest.plan.command import CommandNotFound, find
from bundlevisor.manifest.plan.launch import plan_migration
from bundlevisor.manifest.plan.template import Unresolved

if TYPE_CHECKING:
    from bundlevisor.actors.logs.progress_lines import OnProgress

REFUSALS = (CannotLaunch, CommandNotFound, PathRefused, Unresolved, binary.Unusable)
TICK = 1.0
"""Seconds between two words on how long it takes."""


class Result(msgspec.Struct, frozen=True):
    """How a migration ended: ``trouble`` is empty when it was run, ``output`` its last lines.

    ``ended``: it was killed or took too long, so that its output does not say why.
    """

    trouble: str = ""
    output: str = ""
    ended: bool = False


class Migrator:
    """Runs migrations of one service on the calling thread, which it blocks."""

    def __init__(self, task: Task) -> None:
        self._spec = task.spec
        self._means = task.means
        self._inputs = task.inputs
        self._instance = task.spec.instance(task.incarnation)
        self._cancelled = threading.Event()
        self._woken = threading.Event()

    def cancel(self) -> None:
        """End the migration that is running, and run no other. Any thread."""
        self._cancelled.set()
        self._woken.set()

    def run(
        self,
        migration: Migration,
        progress: Callable[[float], None],
        on_progress: OnProgress | None = None,
    ) -> Result:
        """Run one migration to its end; ``progress`` hears every second how long it has taken.

        ``on_progress(text, fraction)`` hears, on the thread of the logs, of lines that say how far
        it is. CannotLaunch where there is nothing to begin it by, so that it says nothing of it.
        """
        instance = f"{self._instance}-migration-{migration.version}"
        timeout = migration.timeout_ms / 1000
        if self._cancelled.is_set():
            return Result("cancelled")
        process = TrackedProcess(instance, self._means.loop, self._means.log, self._means.guardian)
        try:
            self._start(process, migration, on_progress)
        except OSError as error:
            reason = f"migration {migration.version} cannot be started: {error.strerror or error}"
            raise self._spec.refusal(reason) from error
        except REFUSALS as error:
            return Result(str(error))
        try:
            code = self._wait(process, timeout, progress)
        finally:
            process.end("SIGTERM", GRACE_S, self._pause)
            read = threading.Event()
            process.close(read.set)
            read.wait(LOG_PATIENCE)
        output = self._means.log.tail(instance)
        return self._judge(code, timeout, output.decode("utf-8", "replace"))

    def _start(
        self, process: TrackedProcess, migration: Migration, on_progress: OnProgress | None
    ) -> None:
        spec, instance = self._spec, process.instance
        env = spec.environment(self._inputs, instance)
        plan = plan_migration(migration, spec.binary, spec.scope(self._inputs), env)
        program = find(plan.word, plan.programs)
        named = spec.binary.cwd if spec.binary else ""
        if trouble := binary.missing_folder(plan.cwd, named, is_data=spec.site.is_data(plan.cwd)):
            raise CannotLaunch(trouble)

        def spawn(output: int) -> children.Child:
            request = children.SpawnRequest(
                argv=(program, *plan.arguments),
                env=plan.environment,
                cwd=plan.cwd,
                output=output,
                instance=instance,
            )
            try:
                return children.spawn(request)
            except OSError as error:
                refused = binary.why_refused(program, error, current_key())
                if error.errno in children.SHORTAGES:
                    raise OSError(error.errno, str(refused)) from error
                raise refused from error
            except ValueError as error:
                raise CannotLaunch(str(error)) from error

        guarded, redactor = self._guarded(instance), self._inputs.redactor()
        process.start(guarded, redactor, spawn, starts=False, on_progress=on_progress)

    def _guarded(self, instance: str) -> GuardedProcess:
        import signal

        return GuardedProcess(
            service=self._spec.service.id,
            instance=instance,
            signal=int(signal.SIGTERM),
            grace_s=GRACE_S,
            depends_on=self._spec.depends_on,
            log_path=self._spec.log_path,
            secrets=self._inputs.hidden(),
        )

    def _wait(
        self, process: TrackedProcess, timeout: float, progress: Callable[[float], None]
    ) -> int | None:
        """Return the exit code; None when it was cancelled or took too long."""
        process.on_exit(lambda _code, _lines: self._woken.set())
        clock = WorkingTime()  # what held us up, or sleep, has held up the migration as well
        began = clock.now()
        while (code := process.poll()) is None:
            taken = clock.now() - began
            if self._cancelled.is_set() or taken >= timeout:
                return None
            if not self._pause(min(TICK, timeout - taken)):
                progress(clock.now() - began)
        return code

    def _pause(self, seconds: float) -> bool:
        """Wait until it has ended or is cancelled; False when nothing came meanwhile."""
        came = self._woken.wait(seconds)
        self._woken.clear()
        return came

    def _judge(self, code: int | None, timeout: float, output: str) -> Result:
        if code == 0:
            return Result()
        if code is not None:
            killed = code < 0 and not is_own_failure(code)
            return Result(describe_exit(code), output, ended=killed)
        if self._cancelled.is_set():
            return Result("cancelled", output)
        return Result(f"not done within {timeout:g} s", output, ended=True)
