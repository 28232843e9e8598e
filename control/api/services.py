"""``POST /services/{id}/start|stop|restart``: one service, on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from bundlevisor.actors.core.messages import STOPPING
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.control.wire.bodies import ServiceCommand
from bundlevisor.control.wire.commands import (
    COMMAND_TIMEOUT_S,
    no_answer,
    refuse_while_stopping,
    stopping,
)
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.json_body import send
from bundlevisor.control.wire.long_poll import wait_for_snapshot, wait_seconds
from bundlevisor.control.wire.parameters import known_service

if TYPE_CHECKING:
    from collections.abc import Callable

    import falcon

    from bundlevisor.actors.core.messages import Outcome
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import Action, RuntimeApi


def is_done(action: Action, after: int, now: ServiceView) -> bool:
    """Return whether what a command asked for is so, and nothing else is wanted by now.

    ``after``: a start or restart asks for an incarnation later than this. What is under orders to
    end is never shown as ready.
    """
    if action == "stop":
        return now.kept_down and now.state is State.STOPPED
    return now.ready and now.incarnation > after


def is_settled(action: Action, after: int, now: ServiceView) -> bool:
    """Return whether waiting longer is of no use: done, failed, blocked, or overruled since."""
    if is_done(action, after, now):
        return True
    if action == "stop":
        return not now.kept_down
    return now.blocked or now.state in (State.FAILED, State.STOPPED) or now.kept_down


class CommandResource:
    """One of the three commands."""

    def __init__(self, runtime: RuntimeApi, action: Action, closing: Closing) -> None:
        self._runtime = runtime
        self._action = action
        self._closing = closing

    def on_post(self, req: falcon.Request, resp: falcon.Response, service_id: str) -> None:
        """Answer 202 when the supervisor has accepted; with ``?wait=`` when it is done."""
        seconds = wait_seconds(req)
        known_service(self._runtime.board.snapshot, service_id)
        refuse_while_stopping(self._runtime.board.snapshot)
        outcome = self._send(service_id)
        if outcome == STOPPING:  # and the snapshot does not show it yet
            raise stopping()
        if outcome.conflict:
            raise Refusal(409, "wrong_state", outcome.conflict)
        snapshot = self._runtime.board.snapshot
        if seconds is not None:
            settled = self._settled(service_id, outcome.after)
            snapshot = wait_for_snapshot(self._runtime.board, settled, seconds, req, self._closing)
        now = snapshot.services[service_id]
        note = "" if self._action == "stop" else self._runtime.bundle_note()
        body = ServiceCommand(
            id=service_id,
            state=now.state,
            message=now.message,
            affected=outcome.affected,
            done=UNSET if seconds is None else is_done(self._action, outcome.after, now),
            note=note or UNSET,
        )
        send(resp, body, 202)

    def _send(self, service_id: str) -> Outcome:
        try:
            return self._runtime.command(service_id, self._action, COMMAND_TIMEOUT_S)
        except TimeoutError:
            raise no_answer() from None

    def _settled(self, service_id: str, after: int) -> Callable[[Snapshot], bool]:
        def settled(snapshot: Snapshot) -> bool:
            now = snapshot.services[service_id]
            over = snapshot.phase is not Phase.RUNNING and self._action != "stop"
            return over or is_settled(self._action, after, now)

        return settled
