"""The runtime as the control API sees it: the facade over what the composition root has built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import pykka

from bundlevisor.actors.board import Board
from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.core.messages import (
    STOPPING,
    CommandRestart,
    CommandStart,
    CommandStop,
    Message,
    Outcome,
    SecretsChanged,
)
from bundlevisor.actors.core.snapshot import ServiceView, Snapshot
from bundlevisor.actors.files.tail import tail
from bundlevisor.actors.logs.secret_forms import forms
from bundlevisor.actors.telemetry import timelines
from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.actors.telemetry.writer import Telemetry
from bundlevisor.control.wire.bounds import LONGEST_KEEPING_S
from bundlevisor.control.wire.facade import Action, Facts, Gauges
from bundlevisor.manifest.plan.secrets import Rejection, receivers

if TYPE_CHECKING:
    from bundlevisor.actors.core.progress import Progress
    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.actors.logs.follow import Subscription
    from bundlevisor.actors.logs.timed_follow import TimedFollower
    from bundlevisor.actors.logs.timed_lines import Line
    from bundlevisor.actors.prepare.cancelled import Wanted
    from bundlevisor.actors.secrets.vault import Vault
    from bundlevisor.control.run.shutdown_requests import ShutdownRequests
    from bundlevisor.control.wire.bodies import Gpu, Validation

COMMANDS: dict[Action, type[CommandStart | CommandStop | CommandRestart]] = {
    "start": CommandStart,
    "stop": CommandStop,
    "restart": CommandRestart,
}


class ServiceLogs:
    """The logs of the bundle's services, whether they have run yet or not."""

    def __init__(self, specs: dict[str, LaunchSpec], context: ServiceContext) -> None:
        self._specs = specs
        self._context = context

    def tail(self, service_id: str, lines: int) -> bytes:
        """Return the last lines, of earlier runs too; empty when nothing was ever written."""
        try:
            return tail(self._specs[service_id].log_path, lines)
        except FileNotFoundError:
            return b""

    def last_line(self, view: ServiceView) -> str:
        """Return the last line of its present start that can be read; secrets are hidden."""
        stream = self._context.streams.get(view.id)
        if stream is None or not view.instance:
            return ""
        from bundlevisor.actors.logs.last_line import last_line

        return last_line(stream.tail_of_start(view.instance))

    def follow(self, service_id: str, lines: int) -> Subscription:
        """Subscribe to the last ``lines`` lines and everything after."""
        return self._context.log(self._specs[service_id]).follow(lines)

    def lines(self, service_id: str, lines: int, since: float, readers: int) -> list[Line]:
        """Return the last lines that were begun at ``since`` or later, of earlier runs too."""
        from bundlevisor.actors.logs.timed_lines import MAX_BYTES, last_lines

        share = MAX_BYTES // readers
        return last_lines(self._specs[service_id].log_path, lines, since, share).lines

    def previous_lines(self, service_id: str, lines: int, readers: int) -> list[Line]:
        """Return the last lines of the run before the newest one."""
        from bundlevisor.actors.logs.timed_lines import MAX_BYTES, previous_lines

        return previous_lines(self._specs[service_id].log_path, lines, MAX_BYTES // readers)

    def follow_lines(self, service_id: str, lines: int, since: float) -> TimedFollower:
        """Subscribe to these and to all that come."""
        from bundlevisor.actors.logs.timed_follow import TimedFollower

        return TimedFollower(self._context.log(self._specs[service_id]), lines, since)


class LocalRuntime(msgspec.Struct, frozen=True, kw_only=True):
    """Implements :class:`bundlevisor.control.wire.facade.RuntimeApi`; what is slow to make is made
    at its first use."""

    board: Board
    port: int
    """Of the control API."""
    make_facts: Callable[[], Facts]
    open_vault: Callable[[], Vault]
    logs: ServiceLogs
    events: Telemetry
    supervisor: pykka.ActorRef[Any] | None
    """None in a dry run."""
    ending: ShutdownRequests
    context: ServiceContext
    fault: Callable[[str, BaseException], None]
    validate: Callable[[Wanted], Validation]
    timeline: Callable[[], Timeline]
    progress: Callable[[Snapshot], Progress]
    gpu: Callable[[], Gpu]
    bundle_note: Callable[[], str]

    @property
    def facts(self) -> Facts:
        """What does not change while this instance lives."""
        return self.make_facts()

    def command(self, service_id: str, action: Action, timeout_s: float) -> Outcome:
        """Send a command to the supervisor and return its answer."""
        if self.supervisor is None:
            return Outcome(conflict="this is a dry run: no service is started")
        if self.ending.asked:  # the supervisor is told a moment later
            return STOPPING
        return self._ask(COMMANDS[action](service_id), timeout_s)

    def _ask(self, message: Message, timeout_s: float) -> Outcome:
        if self.supervisor is None:
            raise TimeoutError("there is no supervisor in a dry run")
        try:
            answer = self.supervisor.ask(message, timeout=timeout_s)
        except pykka.Timeout as error:
            raise TimeoutError("the supervisor did not answer in time") from error
        if isinstance(answer, Outcome):
            return answer
        raise RuntimeError("the supervisor could not carry the command out; see its log")

    def tell_asked(self, request: str, agent: str, port: int) -> None:
        """Tell the telemetry who asks, as far as the system knows it."""
        from bundlevisor.actors.probes.caller import caller

        found = caller(port, self.port) if port else None
        known = msgspec.structs.asdict(found) if found else {}
        details = {name: value for name, value in known.items() if value != ""}
        self.context.emit("api_request", None, request=request, agent=agent, **details)

    def shutdown(self, reason: str) -> None:
        """Begin the orderly stop; returns at once."""
        self.ending.ask(f"asked to by the {reason}")

    def secrets_present(self) -> frozenset[str]:
        """Return the ids of the secrets that have a value; without secrets no vault is opened."""
        return self.open_vault().present() if self.facts.manifest.secrets else frozenset()

    def secrets_pending(self) -> frozenset[str]:
        """Return the ids of those for which the key store is still being asked."""
        return self.open_vault().pending() if self.facts.manifest.secrets else frozenset()

    def set_secrets(self, values: dict[str, object], timeout_s: float) -> tuple[Rejection, ...]:
        """Store secrets; every problem is returned and nothing stored when there is one.

        ``timeout_s`` is the supervisor's; a write that is under way, as of a start, has its own.
        """
        refused = self.open_vault().refused(values)
        if refused:
            return refused
        texts = {id_: value for id_, value in values.items() if isinstance(value, str)}
        try:
            changed = self.open_vault().store(texts, LONGEST_KEEPING_S)
        except TimeoutError as error:  # in front of the supervisor, which does not hear of it
            raise OSError(str(error)) from None
        if changed:
            self.context.emit("secrets_updated", None, ids=sorted(changed))
            self._hide(changed)
            if self.supervisor is not None:
                self._ask(SecretsChanged(changed), timeout_s)
        return ()

    def _hide(self, changed: frozenset[str]) -> None:
        """Hide new values in the logs of those that run with the old ones.

        Who shares a file with a service that is restarted sooner may read what is meant for it.
        """
        vault, streams = self.open_vault(), self.context.streams
        for service in receivers(self.facts.manifest, changed):
            if stream := streams.get(service):
                given = vault.values_for(service).items()
                stream.hide(forms({id_: value for id_, value in given if id_ in changed}))

    def earlier_timelines(self) -> Sequence[Timeline]:
        """Return the earlier starts that are remembered, oldest first."""
        known = timelines.read(self.facts.app_data_dir, self._set_aside)
        return [old for old in known if old.instance_id != self.facts.instance_id]

    def _set_aside(self, reason: str) -> None:
        self.context.emit("state_set_aside", None, reason=reason)

    def gauges(self) -> Gauges:
        """Return the counters for ``/metrics``."""
        streams = self.context.streams
        return Gauges(
            probes=self.context.probe_stats,
            exits={id_: dict(counts) for id_, counts in list(self.events.exits.items())},
            log_bytes={id_: stream.bytes_read for id_, stream in streams.items()},
            log_bytes_dropped={id_: stream.bytes_lost for id_, stream in streams.items()},
            events_written=self.events.last_seq,
            events_dropped=self.events.dropped,
        )
