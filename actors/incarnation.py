"""One start of a service: its process tree, the log that it writes, and how both come to an end."""

from __future__ import annotations

import enum
import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import LaunchSpec, build_launch, spawn
from bundlevisor.actors.logs import pipes
from bundlevisor.actors.logs.match import AnyOutput, PatternMatcher
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.actors.process import children
from bundlevisor.actors.telemetry import milestones
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.schema import StopPolicy
from bundlevisor.manifest.plan import readiness
from bundlevisor.manifest.plan.template import Unresolved

if TYPE_CHECKING:
    from bundlevisor.actors.logs.intake import Drained
    from bundlevisor.actors.ui_server.parent.page_server import PageServer

Exited = Callable[[int, str], object]
"""Called with the exit status and the last lines of the log."""

KNOWS_LISTENERS = sys.platform == "linux"
"""Whether it can be found out which process listens on a port."""
LOOK_AFTER = 1.0
"""Seconds from ready to that look, which must not hold up what is being started beside it."""
LOG_PATIENCE = 0.5
"""Seconds that an exit waits for the last lines of its log."""


class StopProgress(enum.Enum):
    """How urgently the tree has been told to end."""

    NOT_YET = 0
    ASKED = 1
    """The leader, or all at once."""
    REST_ASKED = 2
    """What the leader has left."""
    KILLED = 3


class Incarnation:
    """Owned by a service actor, from the spawn until nothing of the tree is left."""

    def __init__(
        self, blueprint: LaunchSpec, world: ServiceContext, inputs: StartInputs, number: int
    ) -> None:
        self.number = number
        self.instance = blueprint.instance(number)
        self.env: dict[str, str] = {}
        """What the service was given; its health command gets the same."""
        self._blueprint = blueprint
        self._world = world
        self._inputs = inputs
        self._log = world.log(blueprint)
        self._child: children.Child | None = None
        self._page: PageServer | None = None
        self._ending = StopProgress.NOT_YET

    @property
    def child(self) -> children.Child | None:
        """The leader; None before the spawn and after the burial."""
        return self._child

    def start(self, ports: ServicePorts, logged: Callable[[], object]) -> children.Child:
        """Connect the log, tell the guardian, and start what the blueprint says; CannotLaunch.

        ``logged`` is called when the log shows the pattern that makes the service ready.
        """
        guardian = self._world.guardian
        read, write = pipes.make()
        try:
            self._watch_log(logged)
            guardian.expect(self._charge(), read)
            self._log.attach(read, self.instance, _ignore, self._inputs.redactor())
            read = -1
            start = self._start_page if self._blueprint.page else self._start_program
            child = self._child = start(ports, write)
        except BaseException:
            self._log.detach(self.instance)
            guardian.forget(self.instance)
            raise
        finally:
            os.close(write)
            if read >= 0:
                os.close(read)
        guardian.spawned(self.instance, child.pid, child.created, child.session)
        return child

    def adopt(self, child: children.Child) -> None:
        """Take over a process whose actor is broken."""
        self._child = child
        self.instance = child.instance

    def watch(self, told: Exited) -> None:
        """Have the exit told together with the last lines of the log, which are read first.

        A disk that hangs delays it by LOG_PATIENCE at most.
        """
        child, loop = self._child, self._world.loop
        if child is None:
            return

        def exited() -> None:
            code = child.poll()
            telling = _Once(told, 255 if code is None else code)
            patience = loop.call_at(time.monotonic() + LOG_PATIENCE, telling)

            def drained(read: Drained) -> None:
                patience.cancel()
                telling(read.tail.decode("utf-8", "replace"))

            self._log.drain(child.instance, drained)

        children.watch_exit(loop, child, exited)

    def look_who_answers(self, name: str, port: int) -> None:
        """Some time from now, beside everything else, tell of a listener outside of the tree."""
        child = self._child
        if child is None or self._page is not None or not KNOWS_LISTENERS:
            return

        def look() -> None:
            from bundlevisor.actors.probes.port_owner import impostor

            found = impostor(port, child.pid, child.survivors)
            if found is not None and self._child is child:
                told = {"name": name, "port": port, "pid": found.pid, "program": found.name}
                self._world.emit("port_answered_by_other", self._blueprint.service.id, **told)

        def beside() -> None:
            if self._child is child:
                threading.Thread(target=look, name="who answers", daemon=True).start()

        self._world.loop.call_at(time.monotonic() + LOOK_AFTER, beside)

    def ask(self, refused: Callable[[], object]) -> None:
        """Ask the tree to stop, once: over HTTP if the service has that, else by its signal.

        What the leader leaves is asked by the signal when it has ended. ``refused`` is called,
        from any thread, when the service did not take the HTTP request. Where nobody can be asked,
        the tree is to be killed.
        """
        child = self._child
        if child is None:
            return
        if self._ending is StopProgress.ASKED and self._page is None and _left_others(child):
            self._ending = StopProgress.REST_ASKED
            self._signal_tree(child)
        if self._ending is not StopProgress.NOT_YET:
            return
        self._ending = StopProgress.ASKED
        address = self._blueprint.stop_address(self._inputs)
        if self._page is not None:
            self._page.ask_to_stop()
        elif address is not None and child.poll() is None:
            port, path = address
            from bundlevisor.actors.probes.stop_request import request_stop

            request_stop(self._world.loop, port, path, refused)
        else:
            self.signal()

    def signal(self) -> None:
        """Send the stop signal to the leader, or to the whole tree as the bundle says."""
        child = self._child
        if child is None:
            return
        if child.poll() is None and leader_only(self._blueprint.service.stop):
            if not child.ask_to_stop(self._blueprint.service.stop.signal, leader_only=True):
                self._ending = StopProgress.KILLED
            return
        self._ending = StopProgress.REST_ASKED
        self._signal_tree(child)

    def _signal_tree(self, child: children.Child) -> None:
        if not child.ask_to_stop(self._blueprint.service.stop.signal):
            self._ending = StopProgress.KILLED

    def insist(self) -> None:
        """From now on the tree is killed."""
        self._ending = StopProgress.KILLED

    def is_hopeless(self) -> bool:
        """Whether the tree is to be killed rather than waited for."""
        return self._ending is StopProgress.KILLED

    def is_over(self) -> bool:
        """Whether nothing of the tree is left; kills what there is if it is to be killed."""
        child = self._child
        if child is None:
            return True
        if self._ending is StopProgress.KILLED:
            child.kill()
        return child.poll() is not None and not child.survivors()

    def bury(self) -> None:
        """Nothing of the tree is left: let go of all that belonged to it."""
        child, self._child = self._child, None
        # The guardian holds the pipe as well, until all that is in it has been read.
        self._log.detach(self.instance, partial(self._world.guardian.forget, self.instance))
        if child is not None:
            child.close()
        if self._page is not None:
            self._page.close()
            self._page = None

    def move_upstream(self, ports: dict[str, dict[str, int]]) -> None:
        """A page learns where its API is, or that it is nowhere, without being started anew."""
        if self._page is not None:
            from bundlevisor.actors.ui_server.parent.page_server import upstream_port

            self._page.move_upstream(upstream_port(self._blueprint, StartInputs(ports)))

    def _start_program(self, ports: ServicePorts, output: int) -> children.Child:
        launch = build_launch(
            self._blueprint, self._inputs, self.instance, output, ports.hand_over()
        )
        self.env = launch.env
        self._blueprint.find_health_command(self._inputs, self.env)
        self._tell_of_chromium()
        ports.let_go()
        return spawn(self._blueprint, launch)

    def _tell_of_chromium(self) -> None:
        fallback = self._blueprint.chromium_fallback(self.env)
        if fallback is not None:
            missing, path = fallback
            event, id_ = "playwright_chromium_fallback", self._blueprint.service.id
            there = os.path.isfile(path)
            self._world.emit(event, id_, missing=missing, path=path, there=there)

    def _start_page(self, ports: ServicePorts, output: int) -> children.Child:
        from bundlevisor.actors.ui_server.parent.page_server import serve_page

        blueprint = self._blueprint
        if blueprint.asks_by_command:
            try:
                self.env = blueprint.environment(self._inputs, self.instance)
            except (PathRefused, Unresolved) as error:
                raise blueprint.refusal(str(error), fatal=True) from error
            blueprint.find_health_command(self._inputs, self.env)
        socket = ports.take_first()
        self._page = serve_page(self._blueprint, self._inputs, self.instance, output, socket)
        return self._page.child

    def _charge(self) -> GuardedProcess:
        stop = self._blueprint.service.stop
        return GuardedProcess(
            service=self._blueprint.service.id,
            instance=self.instance,
            signal=stop_signal(stop.signal),
            grace_s=stop.timeout_ms / 1000,
            depends_on=self._blueprint.depends_on,
            log_path=self._blueprint.log_path,
            http=self._blueprint.stop_address(self._inputs),
            secrets=self._inputs.hidden(),
            leader_only=leader_only(stop),
        )

    def _watch_log(self, logged: Callable[[], object]) -> None:
        """Have the output looked at from its first byte on: for readiness, and for the timeline."""
        service = self._blueprint.service
        wanted = readiness.criterion(service)
        if wanted.condition is readiness.Condition.LOGGED:
            matcher = PatternMatcher(wanted.pattern, self._tell_of_pattern)
            self._log.watch(self.instance, matcher, lambda _: logged())
        if self.number == 1:
            mark = self._world.mark
            self._log.watch(
                self.instance, AnyOutput(), lambda _: mark(milestones.OUTPUT, service.id)
            )

    def _tell_of_pattern(self, reason: str) -> None:
        self._world.emit("log_match_given_up", self._blueprint.service.id, reason=reason)


class _Once:
    """Tells an exit at the first call: with the last lines, or without when they take too long."""

    def __init__(self, told: Exited, code: int) -> None:
        self._told = told
        self._code = code
        self._first = threading.Lock()

    def __call__(self, lines: str = "") -> None:
        if self._first.acquire(blocking=False):
            self._told(self._code, lines)


def leader_only(stop: StopPolicy) -> bool:
    """Whether the stop signal is for the leader alone; SIGKILL leaves it nobody to tell."""
    return children.LEADER_ALONE and stop.to == "leader" and stop.signal != "SIGKILL"


def _left_others(child: children.Child) -> bool:
    """Whether there may be others that the leader alone was asked for."""
    return children.LEADER_ALONE and child.poll() is not None


def stop_signal(name: str) -> int:
    """Return the number of a stop signal; SIGTERM's where the platform does not know it."""
    import signal

    return int(getattr(signal, name, signal.SIGTERM))


def _ignore(_: object) -> None:
    """The end of a pipe says nothing that the exit does not."""
