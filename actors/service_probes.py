"""What is asked of one service: whether it is ready, whether it still is well, and who answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec, health_port
from bundlevisor.actors.probes.probing import Probing
from bundlevisor.actors.telemetry import milestones
from bundlevisor.manifest.plan.readiness import Condition, liveness

if TYPE_CHECKING:
    from bundlevisor.actors.context import ServiceContext
    from bundlevisor.actors.incarnation import Incarnation
    from bundlevisor.actors.launch.inputs import StartInputs
    from bundlevisor.actors.process.process_tree import ProcessTree

KNOWS_LISTENERS = sys.platform == "linux"
"""Whether it can be found out which process listens on a port."""
LOOK_AFTER = 1.0
"""Seconds from ready to that look, which must not hold up what is being started beside it."""


class ServiceProbes:
    """Owned by the service's actor; what it calls back is called on the events loop's thread."""

    def __init__(self, spec: LaunchSpec, context: ServiceContext) -> None:
        self._spec = spec
        self._service = spec.service
        self._context = context
        self._probing: Probing | None = None
        self._unaskable = ""
        """Why there is no probing although one is wanted."""

    @property
    def trouble(self) -> str:
        """What stands in the way of readiness, as far as anybody knows."""
        wanted = self._spec.criterion
        if wanted.condition is Condition.LOGGED:
            return f"its output shows no match of '{wanted.pattern}'"
        if wanted.condition is Condition.NOTIFIED:
            return "it has not said that it is ready"
        return self._probing.trouble if self._probing is not None else self._unaskable

    def until_ready(
        self, inputs: StartInputs, env: dict[str, str], on_ready: Callable[[], None]
    ) -> str:
        """Call ``on_ready`` once it is ready; return why that can never be found out, or nothing.

        What it says itself, in its log or by a datagram, is heard elsewhere.
        """
        self._unaskable = ""
        wanted, id_ = self._spec.criterion, self._service.id
        if wanted.condition is Condition.NOTIFIED:
            return ""
        try:
            self._probing = self._new_probing(inputs, env, wanted.port_name)
        except CannotLaunch as error:
            self._unaskable = str(error)
            return self._unaskable
        self._probing.until_ready(
            wanted,
            self._service.health,
            on_ready,
            lambda: self._context.mark(milestones.LISTENING, id_),
        )
        return ""

    def watch(
        self, inputs: StartInputs, env: dict[str, str], on_answer: Callable[[str], None]
    ) -> str:
        """Call ``on_answer`` with what is wrong (nothing: it is well), whenever that is news.

        Return why it cannot be asked, or nothing.
        """
        self.stop()
        health = liveness(self._service)
        if health is None:
            return ""
        try:
            self._probing = self._new_probing(inputs, env, health_port(self._service, health))
        except CannotLaunch as error:
            return str(error)
        self._probing.watch(health, on_answer)
        return ""

    def stop(self) -> None:
        """Ask no more."""
        if self._probing is not None:
            self._probing.stop()
            self._probing = None

    def look_who_answers(self, inputs: StartInputs, incarnation: Incarnation) -> None:
        """Tell, some time from now, of a stranger on the port that made the service ready."""
        name = self._spec.criterion.port_name
        port = inputs.ports.get(self._service.id, {}).get(name)
        handed = any(r.name == name and r.requires_socket for r in self._service.port_requests)
        child = incarnation.child
        if port is None or handed or child is None or self._spec.page or not KNOWS_LISTENERS:
            return

        def beside() -> None:
            if incarnation.child is not child:
                return
            try:
                self._context.look_thread.put(lambda: self._look(incarnation, child, name, port))
            except RuntimeError:  # this user may have no more threads
                later()

        def later() -> None:
            self._context.loop.call_at(time.monotonic() + LOOK_AFTER, beside)

        later()

    def _look(self, incarnation: Incarnation, child: ProcessTree, name: str, port: int) -> None:
        from bundlevisor.actors.probes.port_owner import impostor

        found = impostor(port, child.pid, child.survivors)
        if found is not None and incarnation.child is child:
            details = {"name": name, "port": port, "pid": found.pid, "program": found.name}
            self._context.emit("port_answered_by_other", self._service.id, **details)

    def _new_probing(self, inputs: StartInputs, env: dict[str, str], port_name: str) -> Probing:
        target = self._spec.target(inputs, env, port_name)
        context, stats = self._context, self._context.probe_stats_of(self._service.id)
        return Probing(context.loop, context.listening, target, stats)
