"""Who guards, who is in reserve, and who comes after one that died.

Where a guardian can fork (POSIX) another one is kept in reserve: it knows the same, and acts when
the first has not done its work, so that there is no moment in which nothing guards. Otherwise, and
while there is no reserve yet, a dead one is followed at once by a new interpreter.
"""

from __future__ import annotations

import sys
import threading
import time

from bundlevisor.actors.guardian import starting
from bundlevisor.actors.guardian.channel import Descriptor, pair
from bundlevisor.actors.guardian.sentry import Sentry

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported before the guardian is forked, they would be in its memory
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from bundlevisor.actors.guardian.channel import End
    from bundlevisor.actors.guardian.wire import Message

    Report = Callable[[str, dict[str, object]], object]
    KnownMessages = Callable[[], Iterable[tuple[Message, Descriptor | None]]]

    class Loop(Protocol):
        """What the guardian's link needs of the reactor."""

        def call_soon(self, callback: Callable[[], object], /) -> None:
            """Call on the loop's thread."""

        def call_at(self, when: float, callback: Callable[[], object], /) -> object:
            """Call on the loop's thread at a monotonic time."""

        def watch(self, fd: int, read: Callable[[], object], /) -> None:
            """Call whenever the descriptor can be read."""

        def unwatch(self, fd: int, /) -> bool:
            """Watch it no longer."""


RETRY = 0.02
"""Seconds until what a guardian did not take is offered again."""
BREATH = 0.5
LONGEST = 60.0
"""Seconds to the next start after a guardian that never answered: the first time, and at most;
doubling between. One that has answered, and so was killed from outside, is followed at once."""
SPELL, MOST = 10.0, 10
"""Seconds, and deaths within them, from which on nobody is followed at once any more."""
ANSWER_S = 30.0
"""Seconds for a guardian to say that it is there; an interpreter's start takes a tenth of one."""


class Roster:
    """The guardians of this runtime. ``known_messages`` returns all that a new one has to know."""

    def __init__(self, lock: threading.RLock, known_messages: KnownMessages) -> None:
        self._lock = lock
        self._known_messages = known_messages
        self._loop: Loop | None = None
        self._report: Report = _ignore
        self._changed: Callable[[], object] = unheard
        self._charged = threading.Event()
        """Set once one has taken charge, and where none has to."""
        if sys.platform == "win32":
            self._charged.set()
        self._ended = False
        self._retrying = False
        self._reserve_wanted = False
        self._patience = 0.0
        self._deaths: list[float] = []
        self._sentries: list[Sentry] = []
        """The first acts when the runtime dies, the next if that one has died too."""

    @property
    def sentries(self) -> tuple[Sentry, ...]:
        """All of them, the one that acts first."""
        return tuple(self._sentries)

    @property
    def first(self) -> Sentry | None:
        """The one that acts when the runtime dies; None while there is none."""
        return next(iter(self._sentries), None)

    def attach(self, loop: Loop, report: Report, changed: Callable[[], object]) -> None:
        """Have deaths noticed on this loop; ``report`` hears who replaced whom, and of failures.

        ``changed`` is called when one is there, or gone.
        """
        self._loop, self._report, self._changed = loop, report, changed
        for sentry in self._sentries:
            self._watch(sentry)

    def keep_reserve(self) -> None:
        """Have a second one in reserve from now on, where one can be forked."""
        self._reserve_wanted = sys.platform != "win32"
        self._ask_for_reserve()

    def start(self, start: Callable[[End], starting.Process], died: int = 0) -> None:
        """Start a guardian; what it has to know stands in its channel before it lives. OSError."""
        with self._lock:
            if self._ended:
                return
            sentry, theirs = self._admit(died)
        try:
            sentry.started(start(theirs))
        except OSError:
            with self._lock:
                self._sentries.remove(sentry)
                sentry.close()
            raise
        self._watch(sentry)

    def send(self, message: Message, carried: Descriptor | None = None) -> None:
        """Tell everybody; what is not taken at once is offered again."""
        with self._lock:
            taken = [sentry.sender.send(message, carried) for sentry in self._sentries]
            if not all(taken):
                self._retry()

    def await_charge(self, timeout: float) -> bool:
        """Wait until one has taken charge, which the loop hears; False when none has in time."""
        return self._charged.wait(timeout)

    def wake(self) -> None:
        """Have all of them go on that somebody has stopped."""
        for sentry in self.sentries:
            sentry.wake()

    def dismiss(self, timeout: float) -> bool:
        """End all of them without any work; False when one had to be killed."""
        with self._lock:
            self._ended = True
            sentries, self._sentries = self._sentries, []
            for sentry in sentries:
                sentry.sender.send(("bye",))
                self._unwatch(sentry)
            deadline = time.monotonic() + timeout
            gone = [sentry.dismiss(deadline) for sentry in sentries]
            return all(gone)

    def _admit(self, died: int = 0) -> tuple[Sentry, End]:
        sender, theirs = pair()
        for message, carried in self._known_messages():
            sender.send(message, carried)
        sentry = Sentry(sender, died)
        self._sentries.append(sentry)
        return sentry, theirs

    def _ask_for_reserve(self) -> None:
        """Have the guardian fork one, unless there is one, or nobody to fork it."""
        with self._lock:
            alone = len(self._sentries) == 1 and self._sentries[0].answered
            if self._ended or not self._reserve_wanted or not alone:
                return
            try:
                sentry, theirs = self._admit()
            except OSError:
                return  # no descriptors: the next death is followed by a new interpreter
            # A guardian that is dead already takes the channel with it: its end tells us.
            self._sentries[0].sender.send(("reserve",), Descriptor(theirs.detach()))
        self._watch(sentry)

    def _retry(self) -> None:
        if self._loop and not self._retrying:
            self._retrying = True
            self._loop.call_at(time.monotonic() + RETRY, self._offer_again)

    def _offer_again(self) -> None:
        with self._lock:
            self._retrying = False
            taken = [sentry.sender.pump() for sentry in self._sentries]
            if not all(taken):
                self._retry()

    def _watch(self, sentry: Sentry) -> None:
        if self._loop:
            self._loop.call_soon(lambda: self._begin_watching(sentry))

    def _begin_watching(self, sentry: Sentry) -> None:
        with self._lock:
            if self._loop and sentry in self._sentries:
                self._loop.watch(sentry.sender.fileno(), lambda: self._hear(sentry))
                self._loop.call_at(time.monotonic() + ANSWER_S, lambda: self._expect(sentry))
                self._offer_again()

    def _unwatch(self, sentry: Sentry) -> None:
        loop, fd = self._loop, sentry.sender.fileno()
        if loop and fd >= 0:
            loop.call_soon(lambda: loop.unwatch(fd))

    def _expect(self, sentry: Sentry) -> None:
        if not sentry.answered:
            self._lose(sentry, f"it did not answer within {ANSWER_S:g} s")

    def _hear(self, sentry: Sentry) -> None:
        """It has answered, or its end of the channel is closed."""
        with self._lock:
            if sentry not in self._sentries:
                return  # dismissed while this waited for the lock: the channel is closed already
            try:
                here = sentry.hear()
            except BlockingIOError:
                return
        if not here:
            self._lose(sentry, "" if sentry.answered else "it ended before it answered")
            return
        from bundlevisor.actors.process import (
            own_children,  # loaded by now; the guardian has no use for it
        )

        own_children.register(sentry.pid)
        self._charged.set()
        self._changed()
        if sentry.died:
            self._report("guardian_replaced", {"died": sentry.died, "pid": sentry.pid})
        self._ask_for_reserve()

    def _lose(self, sentry: Sentry, why: str) -> None:
        """One is dead, or as good as dead: have another one in its place."""
        from bundlevisor.actors.process import own_children

        with self._lock:
            if sentry not in self._sentries:
                return
            if self._loop:
                self._loop.unwatch(sentry.sender.fileno())
            sentry.end()
            own_children.unregister(sentry.pid)
            guarded = self.first is sentry
            self._sentries.remove(sentry)
            self._take_breath(answered=not why)
        self._changed()
        died = sentry.pid or sentry.died
        if why:
            self._report("guardian_failed", {"died": died, "error": why})
        if guarded:
            self._succeed(died)
        else:
            self._later(self._ask_for_reserve)

    def _succeed(self, died: int) -> None:
        """Let the one in reserve take over, or start another one."""
        follower = self.first
        if follower is None:
            self._later(lambda: self._replace(died))
        elif follower.answered:
            self._report("guardian_replaced", {"died": died, "pid": follower.pid})
            self._later(self._ask_for_reserve)
        else:
            follower.died = died

    def _take_breath(self, *, answered: bool) -> None:
        now = time.monotonic()
        self._deaths = [*(death for death in self._deaths if death > now - SPELL), now]
        at_once = answered and len(self._deaths) <= MOST
        self._patience = 0.0 if at_once else min(LONGEST, self._patience * 2 + BREATH)

    def _later(self, start: Callable[[], object]) -> None:
        # In a thread: a spawn takes longer than a loop's callback may.
        starter = threading.Timer(self._patience, start)
        starter.daemon = True
        starter.name = "guardian"
        try:
            starter.start()
        except RuntimeError:  # no thread is to be had now
            if self._loop is None:
                raise
            self._take_breath(answered=False)
            self._loop.call_at(time.monotonic() + self._patience, lambda: self._later(start))

    def _replace(self, died: int) -> None:
        if self._ended:
            return
        from bundlevisor.actors.process import own_children

        try:
            with own_children.starting():
                self.start(starting.another, died)
        except OSError as error:
            self._take_breath(answered=False)
            self._report("guardian_failed", {"died": died, "error": str(error)})
            self._later(lambda: self._replace(died))


def unheard() -> None:
    """Nobody is interested."""


def _ignore(event: str, details: dict[str, object]) -> None:
    """Nobody is interested yet."""
