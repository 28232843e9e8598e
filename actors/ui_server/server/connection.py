"""One connection of a client: how much it may send before it is understood, and how slowly."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING

from bundlevisor.actors.ui_server.http import answer as answers, plain_answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.flow import LAST_WORDS_SECONDS, Flow
from bundlevisor.actors.ui_server.http.outgoing import Outgoing
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.http.request_reader import BadRequestError, RequestReader
from bundlevisor.actors.ui_server.server.deadline import Deadline
from bundlevisor.actors.ui_server.server.dispatch import failed
from bundlevisor.actors.ui_server.server.idle_watch import IdleWatch
from bundlevisor.actors.ui_server.server.lingering import Lingering

if TYPE_CHECKING:
    from bundlevisor.actors.ui_server.server.served import Served

HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers; a trickle does not extend it."""
OVER_SECONDS = 2.0
"""The same for a connection over the limit, from its first moment."""


class Connection(Flow):
    """Reads requests, has them answered one after the other, and ends in time."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self._served = served
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(self._found, self._hold_body, self._go_on)
        self._raw: asyncio.StreamReader | None = None
        self._queue: deque[Request] = deque()
        self._current: Request | None = None
        self._out: Outgoing | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline = Deadline(self._loop)
        self._lingering = Lingering(self._deadline, self.close)
        self._idle: IdleWatch | None = None
        self._refusal: BadRequestError | None = None
        self._is_body_full = False
        self._is_in_queue = False
        self._is_last = False
        self._is_new = True

    @property
    def _is_over(self) -> bool:
        """Whether there were enough when it came: it gets one answer, and ends."""
        return self._served.limit.is_over(self)

    @property
    def is_being_answered(self) -> bool:
        """Whether an answer is made that takes its time."""
        return self._task is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the others; one too many has to hurry."""
        super().connection_made(transport)
        self._served.connections.add(self)
        self._served.limit.enter(self)
        self._idle = IdleWatch(self._loop, self._is_busy, self.abort)
        if self._is_over:
            self._deadline.start(OVER_SECONDS, self.turn_away)

    def data_received(self, data: bytes) -> None:
        """Read requests, and answer what is complete."""
        if self._raw is not None:
            self._raw.feed_data(data)
            return
        if self._is_last and self._current is None:
            return  # nobody looks at what comes after the last answer
        try:
            self._reader.feed(data)
        except BadRequestError as refusal:
            self._refusal = self._refusal or refusal
            self._drop(self._reader.break_off())
        if self._lingering.has_ended():
            self._go_on_after_answer(lasts=not self._is_last)
        self._answer_queue()
        if self._reader.in_head and self._current is None and not self._deadline.is_running:
            self._deadline.start(HEAD_SECONDS, self.abort)

    def resume_writing(self) -> None:
        """The client has read: it may have its next answer."""
        super().resume_writing()
        self._answer_queue()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is awaited any more."""
        self._served.connections.discard(self)
        self._served.limit.leave(self)
        self._deadline.stop()
        if self._idle is not None:
            self._idle.stop()
        self._queue.clear()
        super().connection_lost(exc)
        self._reader.break_off()
        if self._raw is None:
            self._give_up()
        else:  # a tunnel passes on what has been said
            self._raw.feed_eof()
            self._deadline.start(LAST_WORDS_SECONDS, self._give_up)

    def turn_away(self) -> None:
        """End, with a word if nothing is being answered, nor has been for the last time."""
        if self.transport is not None and self._current is None and not self._is_last:
            self.transport.write(answers.CROWDED)
            self.transport.close()
        else:
            self.abort()

    def leave(self) -> None:
        """End as soon as the request under way is answered: now, if there is none."""
        self._is_last = True
        if self._current is None and self.transport is not None:
            self.transport.close()

    def outgoing(self) -> Outgoing:
        """Begin an answer that is sent piece by piece."""
        request = self._current
        assert request is not None  # noqa: S101 - it is this one that is being answered
        self._out = Outgoing(
            self.send,
            version=request.version,
            lasts=request.keep_alive and not self._is_last,
            without_body=request.method == "HEAD",
        )
        return self._out

    def take_over(self, reader: asyncio.StreamReader) -> None:
        """From now on the client's bytes are no HTTP and go to this reader."""
        self._raw = reader
        self.hold(False)
        if self.transport is not None:
            reader.set_transport(self.transport)
        if self._reader.raw:
            reader.feed_data(self._reader.raw)

    def _found(self, request: Request) -> None:
        request.client = self
        self._queue.append(request)

    def _answer_queue(self) -> None:
        """Answer what waits, until one answer takes its time or the client does not read."""
        if self._is_in_queue:
            return
        self._is_in_queue = True
        while self._current is None and not (self._is_last or self._full):
            if not self._queue:
                if self._refusal is not None:
                    self._refuse(self._refusal)
                break
            self._current = request = self._queue.popleft()
            self._deadline.stop()
            if self._is_over:
                request.keep_alive = False
            if self._is_new and self._served.is_urgent(request):
                self._begin()
            else:
                self._served.rounds.take(self._begin)
        self._is_in_queue = False
        if self._raw is None:
            self.hold(self._is_body_full or bool(self._queue))

    def _begin(self) -> bool:
        """Answer the current request; False when the client is gone."""
        request = self._current
        if request is None or self.transport is None:
            return False
        try:
            answered = self._served.answer(request, over=self._is_over)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the others
            answered = failed(request, error, self._served.log)
        if isinstance(answered, Answer):
            self._finish(request, answered)
        else:
            self._task = self._loop.create_task(self._run(request, answered))
            self._task.add_done_callback(lambda _: answered.close())  # it may never have begun
        return True

    async def _run(self, request: Request, answering: Coroutine[None, None, Answer | None]) -> None:
        try:
            answer = await answering
        except ConnectionError:
            self.close()  # an answer that cannot be completed must not look complete
            return
        except Exception as error:  # noqa: BLE001
            answer = failed(request, error, self._served.log)
            if self._out is not None and self._out.begun:
                self.close()
                return
        self._task = None
        self._finish(request, answer)

    def _finish(self, request: Request, answer: Answer | None) -> None:
        """Send an answer, unless it has been sent, and see what is to be read of the request."""
        lasts = request.keep_alive and not self._is_last
        if answer is not None:
            lasts = lasts and not answer.final
            data = answers.whole(
                answer,
                version=request.version,
                keep_alive=lasts,
                without_body=request.method == "HEAD",
            )
            try:
                self.write(data)
            except ConnectionResetError:
                return
        elif self._out is not None:
            lasts = lasts and self._out.lasts
        self._out, self._is_new = None, False
        body = request.body
        if body is not None and not body.complete:
            if "expect" in request.headers and not body.was_asked_for:
                self._end_unread()  # nobody knows whether it will come
            else:
                self._is_last = not lasts
                self._lingering.begin(body)
            return
        self._go_on_after_answer(lasts=lasts)

    def _go_on_after_answer(self, *, lasts: bool) -> None:
        request, self._current = self._current, None
        if self._idle is not None:
            self._idle.touch()
        if not lasts or self.transport is None:
            self._is_last = True
            self.close()
            return
        if request is not None and request.upgrade:
            try:
                self._reader.resume()
            except BadRequestError as refusal:
                self._refusal = refusal
        self._answer_queue()

    def _drop(self, broken: Request | None) -> None:
        """A request whose body cannot be read is not answered; what has begun does not go on."""
        if broken is None:
            return
        if self._queue and self._queue[-1] is broken:
            self._queue.pop()
        elif self._current is broken:
            self._deadline.stop()
            self._give_up()
            if self._lingering.is_on:
                self._is_last = True
            elif self._out is not None and self._out.begun:
                self.close()
            else:
                self._current = None

    def _give_up(self) -> None:
        """Nobody waits for the answer any more."""
        if self._task is not None:
            self._task.cancel()

    def _refuse(self, refusal: BadRequestError) -> None:
        """Answer what is no request; the rest is not looked at."""
        answer = plain_answers.plain(refusal.status, refusal.sentence)
        data = answers.whole(answer, version="1.1", keep_alive=False, without_body=False)
        if self.transport is not None:
            self.transport.write(data)
        self._end_unread()

    def _end_unread(self) -> None:
        """End after an answer while bytes of the client are under way that nobody looks at."""
        self._is_last, self._current, self._is_body_full = True, None, False
        self.hold(False)
        if self.transport is not None:
            self._lingering.until_the_client_ends(self.transport)

    def _hold_body(self, held: bool) -> None:
        self._is_body_full = held
        if self._raw is None:
            self.hold(held or bool(self._queue))

    def _go_on(self) -> None:
        """Tell a client that asked whether it may that it may send its body."""
        request = self._current
        if request is None or request.version == "1.0":
            return
        expected = (request.headers.get("expect") or "").lower().split(",")
        if "100-continue" in map(str.strip, expected):
            self.write(answers.CONTINUE)

    def _is_busy(self) -> bool:
        """Whether there is something to wait for: once it is closing, only for its reader."""
        closing = self.transport is None or self.transport.is_closing()
        return not closing and (self._current is not None or self._raw is not None)
