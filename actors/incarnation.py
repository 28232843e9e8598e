"""One start of a service: its process tree, the log that it writes, and how both come to an end."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.guardian.guarded import SIGTERM, GuardedProcess
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import (
    CannotLaunch,
    LaunchSpec,
    build_launch,
    have_data_dirs,
    spawn,
)
from bundlevisor.actors.launch.tracked_process import LOG_PATIENCE, Exited, TrackedProcess
from bundlevisor.actors.logs.match import AnyOutput, PatternMatcher
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.tree_stop import TreeStop, leader_only, stop_signal
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.plan import readiness
from bundlevisor.manifest.plan.template import Unresolved

if TYPE_CHECKING:
    from bundlevisor.actors.core.messages import Message
    from bundlevisor.actors.process.process_tree import ProcessTree
    from bundlevisor.actors.process.spawn_request import SpawnRequest
    from bundlevisor.actors.service_notifications import ServiceNotifications

EXIT_WITHIN = 2 * LOG_PATIENCE
"""Seconds for an exit to be told once nothing of the tree is left: it waits for the log's end."""


class Incarnation:
    """Owned by a service actor, from the spawn until nothing of the tree is left."""

    def __init__(
        self,
        spec: LaunchSpec,
        context: ServiceContext,
        inputs: StartInputs,
        number: int,
        tell: Callable[[Message], object],
    ) -> None:
        self.number = number
        self.env: dict[str, str] = {}
        """What the service was given; its health command gets the same."""
        self._spec = spec
        self._context = context
        self._inputs = inputs
        self._tell = tell
        self._notifies = spec.criterion.condition is readiness.Condition.NOTIFIED
        self._log = context.log(spec)
        self._process = TrackedProcess(
            spec.instance(number), context.loop, self._log, context.guardian
        )
        self.stop = TreeStop(spec, self._process, context.loop)
        self._exit_is_heard = False
        self._empty_since = 0.0

    @property
    def child(self) -> ProcessTree | None:
        """The leader; None before the spawn and after the burial."""
        return self._process.child

    @property
    def instance(self) -> str:
        """The SERVICE_INSTANCE_ID of this start."""
        return self._process.instance

    def start(
        self,
        ports: ServicePorts,
        logged: Callable[[], object],
        built: SpawnRequest | None = None,
    ) -> ProcessTree:
        """Connect the log, tell the guardian, and start what its launch spec says; CannotLaunch.

        ``logged`` is called when the log shows the pattern that makes the service ready.
        ``built`` is what was built for this start before it began.
        """

        def spawn(output: int) -> ProcessTree:
            self._watch_log(logged)
            if self._spec.page:
                return self._start_page(ports, output)
            return self._start_program(ports, output, built)

        redactor = self._inputs.redactor()
        try:
            child = self._process.start(self._guarded(), redactor, spawn, on_progress=self._hear)
        except BaseException:
            self._close_notifications()
            raise
        if self._notifies:
            self._notifications.heed(child.owns)
        return child

    def adopt(self, child: ProcessTree) -> None:
        """Take over a process whose actor is broken."""
        self._process.adopt(child)

    def on_exit(self, exited: Exited) -> None:
        """Have the leader's exit told, with the last lines of the log."""
        self._process.on_exit(exited)

    def read_first(self, then: Callable[[], object]) -> None:
        """Call ``then`` once what it has written by now, and an exit seen by now, is told."""
        self._process.read_first(lambda _: then())

    def ask(self, refused: Callable[[], object]) -> None:
        """Ask the tree to stop, as the bundle says; ``refused``: it did not take that over HTTP."""
        self.stop.ask(self._inputs, refused)

    def hear_exit(self, number: int) -> None:
        """The actor has been told of the exit of the leader of a start."""
        self._exit_is_heard = self._exit_is_heard or number == self.number

    def is_over(self) -> bool:
        """Whether nothing of the tree is left; kills what there is if it is to be killed.

        A tree that is killed may be gone before its exit is told. That is waited for, EXIT_WITHIN
        at most: who has buried it says nothing of its exit.
        """
        if self.stop.is_hopeless:
            self._process.kill()
        if not self._process.is_over():
            return False
        now = time.monotonic()
        self._empty_since = self._empty_since or now
        return self._exit_is_heard or now - self._empty_since >= EXIT_WITHIN

    def bury(self) -> None:
        """Nothing of the tree is left: let go of all that belonged to it."""
        self._process.close()
        self._close_notifications()
        page, self.stop.page = self.stop.page, None
        if page is not None:
            page.close()

    def move_upstream(self, ports: dict[str, dict[str, int]]) -> None:
        """A page learns where its API is, or that it is nowhere, without being started anew."""
        page = self.stop.page
        if page is not None:
            from bundlevisor.actors.ui_server.parent.page_server import upstream_port

            page.set_upstream(upstream_port(self._spec, StartInputs(ports)))

    def _start_program(
        self, ports: ServicePorts, output: int, built: SpawnRequest | None
    ) -> ProcessTree:
        spec = self._spec
        have_data_dirs(spec)
        launch = built or self._build_launch()
        self.env = launch.env
        spec.require_health_command(self._inputs, self.env)
        self._tell_of_chromium()
        sockets = ports.hand_over()
        ports.let_go()
        try:
            return spawn(spec, replace(launch, output=output, sockets=sockets))
        except CannotLaunch:
            if built is None:
                raise
            # something is no more as it was: what is looked at now says what
            return spawn(spec, replace(self._build_launch(), output=output, sockets=sockets))

    def _build_launch(self) -> SpawnRequest:
        own = self._notifications.open() if self._notifies else {}
        return build_launch(self._spec, self._inputs, self.instance, own)

    @functools.cached_property
    def _notifications(self) -> ServiceNotifications:
        """What it says of itself; few services do."""
        from bundlevisor.actors.service_notifications import ServiceNotifications

        return ServiceNotifications(
            self._spec, self._context, self._inputs, self.number, self._tell
        )

    def _close_notifications(self) -> None:
        if self._notifies:
            self._notifications.close()

    def _hear(self, text: str, fraction: float) -> None:
        """On the thread of the logs."""
        self._notifications.line(text, fraction)

    def _tell_of_chromium(self) -> None:
        fallback = self._spec.chromium_fallback(self.env)
        if fallback is not None:
            missing, path = fallback
            event, id_ = "playwright_chromium_fallback", self._spec.service.id
            there = os.path.isfile(path)
            self._context.emit(event, id_, missing=missing, path=path, there=there)

    def _start_page(self, ports: ServicePorts, output: int) -> ProcessTree:
        from bundlevisor.actors.ui_server.parent.page_server import serve_page

        spec = self._spec
        if spec.asks_by_command:
            try:
                self.env = spec.environment(self._inputs, self.instance)
            except (PathRefused, Unresolved) as error:
                raise spec.refusal(str(error), fatal=True) from error
            spec.require_health_command(self._inputs, self.env)
        socket = ports.take_first()
        page = serve_page(
            spec, self._inputs, self.instance, output, socket, lambda: self._context.page_hosts
        )
        self.stop.page = page
        return page.child

    def _guarded(self) -> GuardedProcess:
        stop = self._spec.service.stop
        return GuardedProcess(
            service=self._spec.service.id,
            instance=self.instance,
            signal=SIGTERM if self._spec.page else stop_signal(stop.signal),
            grace_s=stop.grace_s,
            depends_on=self._spec.depends_on,
            log_path=self._spec.log_path,
            http=self._spec.stop_address(self._inputs),
            secrets=self._inputs.hidden(),
            leader_only=leader_only(stop) and not self._spec.page,
        )

    def _watch_log(self, logged: Callable[[], object]) -> None:
        """Have the output looked at from its first byte on: for readiness, and for the timeline."""
        service = self._spec.service
        wanted = self._spec.criterion
        if wanted.condition is readiness.Condition.LOGGED:
            matcher = PatternMatcher(wanted.pattern, self._tell_of_pattern)
            self._log.watch(self.instance, matcher, lambda _: logged())
        if self.number == 1:
            mark = self._context.mark
            self._log.watch(
                self.instance, AnyOutput(), lambda _: mark(milestones.OUTPUT, service.id)
            )

    def _tell_of_pattern(self, reason: str) -> None:
        self._context.emit("log_match_given_up", self._spec.service.id, reason=reason)
