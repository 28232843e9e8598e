"""``GET /logs/tail`` and ``GET /logs/follow``: what a service has written and is writing."""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.lanes import require_room
from bundlevisor.control.wire.long_poll import client_has_gone
from bundlevisor.control.wire.operations import PLAIN
from bundlevisor.control.wire.parameters import (
    FOLLOW_LINES,
    TAIL_LINES,
    named_service,
    whole_number,
)
from bundlevisor.control.wire.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import falcon

    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import Reader, RuntimeApi

SLICE_S = 0.5
"""How soon a silent stream notices that its client has gone away."""


class TailResource:
    """The last lines of a service's log."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer text; bytes that are not UTF-8 are replaced."""
        view = named_service(req, self._runtime.board.snapshot)
        lines = whole_number(req, TAIL_LINES)
        with told_of(view.id):
            text = self._runtime.logs.tail(view.id, lines).decode("utf-8", "replace")
        resp.content_type = PLAIN
        resp.data = text.encode()


class FollowResource:
    """A service's log as it grows; ``?lines=`` of what is there come first."""

    def __init__(self, runtime: RuntimeApi, closing: Closing) -> None:
        self._runtime = runtime
        self._closing = closing

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer a stream of text."""
        view = named_service(req, self._runtime.board.snapshot)
        lines = whole_number(req, FOLLOW_LINES)
        require_room(req)
        resp.content_type = PLAIN
        if req.method != "HEAD":
            subscription = self._runtime.logs.follow(view.id, lines)
            chunks = self._chunks(subscription, req)
            resp.stream = Stream(chunks, subscription.close)

    def _chunks(
        self, subscription: Reader[bytes], req: falcon.Request
    ) -> Generator[bytes, None, None]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with self._closing.interrupts(subscription.end):  # what waits is still told
            while not client_has_gone(req):
                data = subscription.read(SLICE_S)
                yield decoder.decode(data or b"", final=data is None).encode()
                if data is None:
                    return


@contextmanager
def told_of(service_id: str) -> Iterator[None]:
    """Read a service's log in this block: where it cannot be, the answer says which, and why."""
    try:
        yield
    except OSError as error:
        sentence = f"service '{service_id}': its log cannot be read: {error_text(error)}"
        what = "see that this user may read it, and that its disk is well"
        raise Refusal(500, "log_unreadable", f"{sentence}; {what}") from None
