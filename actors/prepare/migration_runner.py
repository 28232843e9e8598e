"""Running one migration: a process with the service's log, in a tree that ends with the runtime."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import msgspec

from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec
from bundlevisor.actors.logs import pipes
from bundlevisor.actors.prepare.means import Means
from bundlevisor.actors.process import children
from bundlevisor.actors.process.exit_reason import describe_exit
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.schema import Migration
from bundlevisor.manifest.plan.command import CommandNotFound, find
from bundlevisor.manifest.plan.launch import plan_migration
from bundlevisor.manifest.plan.template import Unresolved

GRACE = 2.0
"""Seconds for its tree to end when it is told to."""
LOG_PATIENCE = 0.5
"""Seconds to wait for the last lines of its log; a disk may hang."""
TICK = 1.0
"""Seconds between two words on how long it takes."""


class Result(msgspec.Struct, frozen=True):
    """How a migration ended: ``trouble`` is empty when it was run, ``output`` its last lines."""

    trouble: str = ""
    output: str = ""


class Migrator:
    """Runs migrations of one service on the calling thread, which it blocks."""

    def __init__(
        self, blueprint: LaunchSpec, means: Means, inputs: StartInputs, instance: str
    ) -> None:
        self._blueprint = blueprint
        self._means = means
        self._inputs = inputs
        self._instance = instance
        self._cancelled = threading.Event()
        self._woken = threading.Event()

    def cancel(self) -> None:
        """End the migration that is running, and run no other. Any thread."""
        self._cancelled.set()
        self._woken.set()

    def run(self, migration: Migration, progress: Callable[[float], None]) -> Result:
        """Run one migration to its end; ``progress`` hears every second how long it has taken."""
        instance = f"{self._instance}-migration-{migration.version}"
        timeout = migration.timeout_ms / 1000
        if self._cancelled.is_set():
            return Result("cancelled")
        try:
            child = self._spawn(migration, instance)
        except (CannotLaunch, CommandNotFound, PathRefused, Unresolved, OSError) as error:
            self._let_go(instance)
            return Result(str(error))
        try:
            code = self._wait(child, timeout, progress)
            self._end(child)
        finally:
            self._let_go(instance)
            child.close()
        output = self._means.log.tail(instance)
        return self._judge(code, timeout, output.decode("utf-8", "replace"))

    def _spawn(self, migration: Migration, instance: str) -> children.Child:
        blueprint, log, guardian = self._blueprint, self._means.log, self._means.guardian
        env = blueprint.environment(self._inputs, instance)
        plan = plan_migration(migration, blueprint.binary, blueprint.scope(self._inputs), env)
        program = find(plan.word, plan.programs)
        read, write = pipes.make()
        try:
            guardian.expect(self._charge(instance), read)
            log.attach(read, instance, lambda _: None, self._inputs.redactor(), starts=False)
            child = children.spawn(
                children.Launch(
                    argv=(program, *plan.arguments),
                    env=plan.environment,
                    cwd=plan.cwd,
                    output=write,
                    instance=instance,
                )
            )
        finally:
            os.close(write)
        guardian.spawned(instance, child.pid, child.created, child.session)
        return child

    def _charge(self, instance: str) -> GuardedProcess:
        import signal

        return GuardedProcess(
            service=self._blueprint.service.id,
            instance=instance,
            signal=int(signal.SIGTERM),
            grace_s=GRACE,
            depends_on=self._blueprint.depends_on,
            log_path=self._blueprint.log_path,
            secrets=self._inputs.hidden(),
        )

    def _wait(
        self, child: children.Child, timeout: float, progress: Callable[[float], None]
    ) -> int | None:
        """Return the exit code; None when it was cancelled or took too long."""
        children.watch_exit(self._means.loop, child, self._woken.set)
        began = time.monotonic()
        while (code := child.poll()) is None:
            taken = time.monotonic() - began
            if self._cancelled.is_set() or taken >= timeout:
                return None
            if not self._woken.wait(min(TICK, timeout - taken)):
                progress(time.monotonic() - began)
            self._woken.clear()
        return code

    def _end(self, child: children.Child) -> None:
        """End what is left of the tree: the leader that took too long, or what it left behind."""
        deadline = time.monotonic() + GRACE
        if child.poll() is None or child.survivors():
            child.ask_to_stop("SIGTERM")
        while child.poll() is None or child.survivors():
            if time.monotonic() >= deadline:
                child.kill()
            self._woken.wait(0.01)
            self._woken.clear()

    def _let_go(self, instance: str) -> None:
        """Let its last lines be read, and only then the guardian forget where they come from."""
        read = threading.Event()
        self._means.log.detach(instance, read.set)
        read.wait(LOG_PATIENCE)
        self._means.guardian.forget(instance)

    def _judge(self, code: int | None, timeout: float, output: str) -> Result:
        if code == 0:
            return Result()
        if code is not None:
            return Result(describe_exit(code), output)
        if self._cancelled.is_set():
            return Result("cancelled", output)
        return Result(f"not done within {timeout:g} s", output)
