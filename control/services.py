"""``POST /services/{id}/start|stop|restart``: one service, on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from actors.snapshot import Phase, ServiceView, Snapshot, State
from control.bodies import ServiceCommand
from control.commands import COMMAND_TIMEOUT_S, no_answer, refuse_while_stopping
from control.errors import Refusal
from control.messages import send
from control.parameters import known_service
from control.patience import wait_for_snapshot, wait_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    import falcon

    from control.closing import Closing
    from control.facade import Action, CommandOutcome, Runtime

RESTING = frozenset({State.STOPPED, State.INACTIVE, State.FAILED})


def is_done(action: Action, before: ServiceView, now: ServiceView) -> bool:
    """Return whether a command has had its effect; ``before`` is the view when it was given.

    A stop is done when nothing of the service runs; a start when it is ready; a restart when
    another incarnation than before is.
    """
    if action == "stop":
        return now.state in RESTING
    return now.ready and (action == "start" or now.instance != before.instance)


def is_settled(action: Action, before: ServiceView, now: ServiceView) -> bool:
    """Return whether waiting longer is of no use: done, or failed or blocked since then."""
    moved = (now.state, now.updated_at, now.instance) != (
        before.state,
        before.updated_at,
        before.instance,
    )
    given_up = now.blocked or now.state is State.FAILED
    return is_done(action, before, now) or (action != "stop" and moved and given_up)


class CommandResource:
    """One of the three commands."""

    def __init__(self, runtime: Runtime, action: Action, closing: Closing) -> None:
        self._runtime = runtime
        self._action = action
        self._closing = closing

    def on_post(self, req: falcon.Request, resp: falcon.Response, service_id: str) -> None:
        """Answer 202 when the supervisor has accepted; with ``?wait=`` when it is done."""
        seconds = wait_seconds(req)
        before = known_service(self._runtime.board.snapshot, service_id)
        refuse_while_stopping(self._runtime.board.snapshot)
        outcome = self._send(service_id)
        if not outcome.accepted:
            raise Refusal(409, "wrong_state", outcome.conflict)
        snapshot = self._runtime.board.snapshot
        if seconds is not None:
            settled = self._settled(before)
            snapshot = wait_for_snapshot(self._runtime.board, settled, seconds, req, self._closing)
        now = snapshot.services[service_id]
        body = ServiceCommand(
            id=service_id,
            state=now.state,
            message=now.message,
            affected=outcome.affected,
            done=UNSET if seconds is None else is_done(self._action, before, now),
        )
        send(resp, body, 202)

    def _send(self, service_id: str) -> CommandOutcome:
        try:
            return self._runtime.command(service_id, self._action, COMMAND_TIMEOUT_S)
        except TimeoutError:
            raise no_answer() from None

    def _settled(self, before: ServiceView) -> Callable[[Snapshot], bool]:
        def settled(snapshot: Snapshot) -> bool:
            now = snapshot.services[before.id]
            over = snapshot.phase is not Phase.RUNNING and self._action != "stop"
            return over or is_settled(self._action, before, now)

        return settled
