"""Actors that take turns on a loop: no thread of their own, and no hand-over between threads.

A message is a call on the loop, in the order in which it was told, so descriptors and timers are
looked at between the messages of all actors. An actor that blocked would hold up all others: what
may block goes to a thread that answers by message.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pykka

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from pykka._envelope import Envelope

    class Loop(Protocol):
        """The loop, as far as an actor needs it."""

        doing: tuple[object, ...]

        def call_soon(self, callback: Callable[[], object]) -> None:
            """Call back in the order of the calls; safe from any thread."""

        def call_idle(self, callback: Callable[[], object], within: float) -> None:
            """Call back when there is nothing else to do, or is due; only on the loop's thread."""


PYKKAS_OWN = "pykka.messages"


class Inbox:
    """Messages that wait, and who is to be called for each of them. Any thread may put one in."""

    def __init__(self) -> None:
        self._waiting: deque[Envelope[Any]] = deque()
        self.call: Callable[[], object] = self.empty

    def put(self, envelope: Envelope[Any], /) -> None:
        """Keep a message and have its actor called for it."""
        self._waiting.append(envelope)
        self.call()

    def get(self) -> Envelope[Any]:
        """Take the oldest message out; raises IndexError without one."""
        return self._waiting.popleft()

    def empty(self) -> bool:
        """Whether no message waits."""
        return not self._waiting

    @property
    def next(self) -> Any:
        """The message that is taken out next; None without one."""
        return self._waiting[0].message if self._waiting else None


class Teller:
    """Tells an actor for edges that may outlive it: then nobody hears, which is no error of theirs.

    An exception would break off what they are at: the reading of a log, the wait for a migration.
    """

    def __init__(self, actor: pykka.ActorRef[Any]) -> None:
        self._actor = actor

    def tell(self, message: object) -> None:
        """Have the actor hear it, if it is there. Any thread."""
        with suppress(pykka.ActorDeadError):
            self._actor.tell(message)


class LoopActor(pykka.Actor):
    """An actor of pykka's whose receive loop is a turn of ``loop`` for each message."""

    _create_future: ClassVar[Any] = staticmethod(pykka.ThreadingFuture)
    _create_actor_inbox: ClassVar[Any] = staticmethod(Inbox)

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop
        inbox: Any = self.actor_inbox
        inbox.call = lambda: loop.call_soon(self._take_turn)

    def _start_actor_loop(self) -> None:
        self._loop.call_soon(self._actor_loop_setup)

    def is_followed_by(self, kind: type[object]) -> bool:
        """Whether the message that is handled has one of this type right behind it."""
        inbox: Any = self.actor_inbox
        return type(inbox.next) is kind

    def _take_turn(self) -> None:
        """Handle one message, or answer that the actor has ended; a loop's callback."""
        if self.actor_stopped.is_set():
            self._actor_loop_teardown()
        elif not self.actor_inbox.empty():
            self._actor_loop_running()

    def _handle_receive(self, message: Any) -> Any:
        """Leave to pykka what is pykka's: its messages are not even imported before one is sent."""
        if type(message).__module__ == PYKKAS_OWN:
            return super()._handle_receive(message)
        return self.on_receive(message)

    def _actor_loop_running(self) -> None:
        envelope = self.actor_inbox.get()
        self._loop.doing = (self, type(envelope.message).__name__)
        try:
            answer = self._handle_receive(envelope.message)
        except Exception:
            if envelope.reply_to is None:
                raise  # the loop reports it, and the actor goes on
            envelope.reply_to.set_exception()
        else:
            if envelope.reply_to is not None:
                envelope.reply_to.set(answer)
