"""The orderly stop of what a dead runtime left."""

from __future__ import annotations

import sys
import time

from bundlevisor.actors.guardian import system
from bundlevisor.actors.guardian.disk import Disk
from bundlevisor.actors.guardian.drain import Drain
from bundlevisor.actors.guardian.guarded import OURS, GuardedProcess
from bundlevisor.actors.guardian.http_stop import StopRequest
from bundlevisor.actors.guardian.shared_memory import shared_memory
from bundlevisor.actors.guardian.state import GuardianState
from bundlevisor.actors.guardian.stop_plan import cut_off, next_change, orders
from bundlevisor.actors.guardian.survivors import Survivors, look
from bundlevisor.actors.loop.working_time import SLICE, WorkingTime
from bundlevisor.actors.process.table.found import KILL_AGAIN_S, UNKILLABLE_S, Found
from bundlevisor.manifest.format.variables import mark_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bundlevisor.actors.guardian.relay import Relay

EXPECTING = 5.0
"""Seconds for an announced process to show its mark: between fork and exec it has none, and on a
machine that is overloaded that takes long. A process that was never made is not waited for so long:
nobody holds its pipe."""
TICK = 0.02
"""Seconds between two looks while one is expected."""
MOST_TRIES = 10


def addressed(guarded: GuardedProcess, processes: list[Found]) -> list[Found]:
    """Return which of a service's processes are asked: all, or the leader alone while it lives."""
    leader = [p for p in processes if guarded.leader_only and p.pid == guarded.pid]
    return leader or processes


class Cleanup:
    """The stop of everything, once; its counts are right when ``run`` has returned."""

    def __init__(self, state: GuardianState, disk: Disk) -> None:
        self.started = time.monotonic()
        self.found: set[str] = set()
        self.killed: set[str] = set()
        self.left = 0
        self._prefix = mark_prefix(state.instance_id)
        self._runtime = (state.runtime_pid, state.runtime_created)
        self._all_guarded: dict[str, GuardedProcess] = dict(state.all_guarded)
        self._clock = WorkingTime()
        self._began = self._clock.now()
        self._until = cut_off(self._all_guarded, self._began)
        self._asked: dict[str, float] = {}
        self._shot: set[tuple[int, float]] = set()
        self._serials: dict[int, str] = {}
        self._group = state.group
        self._signalled: set[tuple[int, float]] = set()
        self._untouchable: set[tuple[int, float]] = set()
        self._requests: dict[str, StopRequest] = {}
        self._watch = system.ExitWatch()
        self.drains: dict[str, Drain] = {}
        self._begin_draining(state, disk)

    def run(self) -> None:
        """Stop everything; return when nothing is left, or nothing more can be done."""
        while True:
            living = self._look()
            now = self._clock.now()
            if not (living or self._expected(now)) or self._is_hopeless(living, now):
                break
            self._act(living, now)
            self._wait(living, self._clock.now())
        self.left = len(self._untouchable) + sum(map(len, living.values()))
        self._finish()

    @property
    def services(self) -> set[str]:
        """Return the starts of services that were found, without the processes that serve pages."""
        guarded = self._all_guarded
        return {one for one in self.found if not guarded[one].service.startswith(OURS)}

    def _look(self) -> Survivors:
        self._pump({drain.fd for drain in self.drains.values() if not drain.ended})
        known = (self._runtime, self._serials, self._group)
        seen = look(self._prefix, self._all_guarded, self.drains, *known)
        self.found |= set(seen)
        living = {
            instance: [p for p in processes if (p.pid, p.created) not in self._untouchable]
            for instance, processes in seen.items()
        }
        return {instance: processes for instance, processes in living.items() if processes}

    def _expected(self, now: float) -> bool:
        """Whether a process was announced, has not been seen yet, and may still appear.

        One whose output has ended will not: between fork and exec it holds the pipe already.
        """
        ended = {instance for instance, drain in self.drains.items() if drain.ended}
        return now < self._began + EXPECTING and any(
            guarded.pid == 0 and guarded.instance not in self.found | ended
            for guarded in self._all_guarded.values()
        )

    def _is_hopeless(self, living: Survivors, now: float) -> bool:
        """Whether all that lives was killed, and the kernel has had its time.

        What forks for ever is given up in the end, unkilled as the last of it is.
        """
        keys = {(p.pid, p.created) for processes in living.values() for p in processes}
        late = now >= self._until + UNKILLABLE_S
        return late and (keys <= self._shot or now >= self._until + MOST_TRIES * UNKILLABLE_S)

    def _act(self, living: Survivors, now: float) -> None:
        for request in self._requests.values():
            request.expire(now)
        due = orders(self._all_guarded, living, self._asked, now, self._until)
        for instance in due.ask:
            self._asked[instance] = now
            address = self._all_guarded[instance].http
            if address:
                self._requests[instance] = StopRequest(address, now)
        for instance, processes in living.items():
            if instance in due.kill:
                self.killed.add(instance)
                self._send_all(processes, None)
            elif instance in self._asked and not self._asked_by_request(instance):
                guarded = self._all_guarded[instance]
                self._send_all(self._not_signalled(addressed(guarded, processes)), guarded.signal)

    def _asked_by_request(self, instance: str) -> bool:
        request = self._requests.get(instance)
        return request is not None and (request.pending or request.accepted)

    def _not_signalled(self, processes: list[Found]) -> list[Found]:
        """Return who has not had the stop signal: one each, also to those that were born late."""
        fresh = [p for p in processes if (p.pid, p.created) not in self._signalled]
        self._signalled |= {(p.pid, p.created) for p in fresh}
        return fresh

    def _send_all(self, processes: list[Found], signal: int | None) -> None:
        for process in processes:
            try:
                if signal is None:
                    self._shot.add((process.pid, process.created))
                    system.kill(process)
                else:
                    system.ask(process, signal)
            except PermissionError:
                self._untouchable.add((process.pid, process.created))

    def _wait(self, living: Survivors, now: float) -> None:
        """Wait for an end, an answer or the next step, and meanwhile keep the logs flowing."""
        change = next_change(self._all_guarded, living, self._asked, self._until)
        until = max(now + KILL_AGAIN_S, change)
        if not living or self._expected(now):
            until = now + TICK
        pending = [request for request in self._requests.values() if request.fd >= 0]
        until = min([until, *(request.until for request in pending)])
        watched = [
            self._watch.add(p.pid, p.created) for processes in living.values() for p in processes
        ]
        while all(watched) and (patience := until - self._clock.now()) > 0:
            ended, ready = self._watch.wait(min(patience, SLICE), self._descriptors())
            self._pump(ready)
            answered = self._read_answers(ready)
            if ended or answered:
                return

    def _descriptors(self) -> list[int]:
        pipes = [drain.fd for drain in self.drains.values() if not drain.ended]
        return pipes + [request.fd for request in self._requests.values() if request.fd >= 0]

    def _read_answers(self, ready: set[int]) -> bool:
        answered = [request for request in self._requests.values() if request.fd in ready]
        for request in answered:
            request.read()
        return bool(answered)

    def _pump(self, ready: set[int]) -> None:
        for drain in self.drains.values():
            if drain.fd in ready:
                drain.pump()

    def _begin_draining(self, state: GuardianState, disk: Disk) -> None:
        """Finish what a log reader had in its hands, before what follows it."""
        relay = _relay(state)
        held = relay.held if relay else state.held
        for instance, fd in state.pipes.items():
            guarded = state.all_guarded.get(instance)
            if guarded:
                self.drains[instance] = Drain(
                    fd,
                    guarded.log_path,
                    guarded.secrets,
                    held.get(instance, b""),
                    disk,
                    instance,
                    relay.copy if relay else None,
                )
        rescued = relay.resume() if relay else None
        if rescued and rescued.instance in self.drains:
            self.drains[rescued.instance].rescue(rescued)

    def _finish(self) -> None:
        for drain in self.drains.values():
            drain.empty()
            drain.close()
        for request in self._requests.values():
            request.close()
        self._watch.close()


if sys.platform == "win32":

    def _relay(state: GuardianState) -> Relay | None:  # noqa: ARG001
        """Return None: the runtime reads each pipe on a thread of its own, and plainly."""
        return None

else:

    def _relay(state: GuardianState) -> Relay | None:
        """Return the memory of the logs' readers; None where the program's files are gone."""
        # Not before it is needed: for as long as it waits, the guardian is small without it.
        try:
            from bundlevisor.actors.guardian.relay import Relay
        except ImportError:  # the services are stopped all the same
            return None
        if state.relay < 0:
            state.relay = shared_memory("relay", 0)
        secretive = [name for name, guarded in state.all_guarded.items() if guarded.secrets]
        return Relay(state.relay, secretive, state.held, state.inflight)
