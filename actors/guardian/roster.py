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
from bundlevisor.actors.guardian.guardian_process import GuardianProcess

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
        self._guardians: list[GuardianProcess] = []
        """The first acts when the runtime dies, the next if that one has died too."""

    @property
    def guardians(self) -> tuple[GuardianProcess, ...]:
        """All of them, the one that acts first."""
        return tuple(self._guardians)

    @property
    def first(self) -> GuardianProcess | None:
        """The one that acts when the runtime dies; None while there is none."""
        return next(iter(self._guardians), None)

    def attach(self, loop: Loop, report: Report, changed: Callable[[], object]) -> None:
        """Have deaths noticed on this loop; ``report`` hears who replaced whom, and of failures.

        ``changed`` is called when one is there, or gone.
        """
        self._loop, self._report, self._changed = loop, report, changed
        for guardian in self._guardians:
            self._watch(guardian)

    def keep_reserve(self) -> None:
        """Have a second one in reserve from now on, where one can be forked."""
        self._reserve_wanted = sys.platform != "win32"
        self._ask_for_reserve()

    def start(self, start: Callable[[End], starting.Process], died: int = 0) -> None:
        """Start a guardian; what it has to know stands in its channel before it lives. OSError."""
        with self._lock:
            if self._ended:
                return
            guardian, theirs = self._admit(died)
        try:
            guardian.started(start(theirs))
        except OSError:
            with self._lock:
                self._guardians.remove(guardian)
                guardian.close()
            raise
        self._watch(guardian)

    def send(self, message: Message, carried: Descriptor | None = None) -> None:
        """Tell everybody; what is not taken at once is offered again."""
        with self._lock:
            taken = [guardian.sender.send(message, carried) for guardian in self._guardians]
            if not all(taken):
                self._retry()

    def await_charge(self, timeout: float) -> bool:
        """Wait until one has taken charge, which the loop hears; False when none has in time."""
        return self._charged.wait(timeout)

    def wake(self) -> None:
        """Have all of them go on that somebody has stopped."""
        for guardian in self.guardians:
            guardian.wake()

    def dismiss(self, timeout: float) -> bool:
        """End all of them without any work; False when one had to be killed."""
        with self._lock:
            self._ended = True
            guardians, self._guardians = self._guardians, []
            for guardian in guardians:
                guardian.sender.send(("bye",))
                self._unwatch(guardian)
            deadline = time.monotonic() + timeout
            gone = [guardian.dismiss(deadline) for guardian in guardians]
            return all(gone)

    def _admit(self, died: int = 0) -> tuple[GuardianProcess, End]:
        sender, theirs = pair()
        for message, carried in self._known_messages():
            sender.send(message, carried)
        guardian = GuardianProcess(sender, died)
        self._guardians.append(guardian)
        return guardian, theirs

    def _ask_for_reserve(self) -> None:
        """Have the guardian fork one, unless there is one, or nobody to fork it."""
        with self._lock:
            alone = len(self._guardians) == 1 and self._guardians[0].answered
            if self._ended or not self._reserve_wanted or not alone:
                return
            try:
                guardian, theirs = self._admit()
            except OSError:  # no descriptors now; a death is followed by a new interpreter
                self._take_breath(answered=False)
                self._later(self._ask_for_reserve)
                return
            # A guardian that is dead already takes the channel with it: its end tells us.
            end = Descriptor(theirs.detach())
            guardian.sent(end)
            self._guardians[0].sender.send(("reserve",), end)
        self._watch(guardian)

    def _retry(self) -> None:
        if self._loop and not self._retrying:
            self._retrying = True
            self._loop.call_at(time.monotonic() + RETRY, self._offer_again)

    def _offer_again(self) -> None:
        with self._lock:
            self._retrying = False
            taken = [guardian.sender.pump() for guardian in self._guardians]
            if not all(taken):
                self._retry()

    def _watch(self, guardian: GuardianProcess) -> None:
        if self._loop:
            self._loop.call_soon(lambda: self._begin_watching(guardian))

    def _begin_watching(self, guardian: GuardianProcess) -> None:
        with self._lock:
            if self._loop and guardian in self._guardians:
                self._loop.watch(guardian.sender.fileno(), lambda: self._hear(guardian))
                self._loop.call_at(time.monotonic() + ANSWER_S, lambda: self._expect(guardian))
                if not guardian.sender.pump():
                    self._retry()

    def _unwatch(self, guardian: GuardianProcess) -> None:
        loop, fd = self._loop, guardian.sender.fileno()
        if loop and fd >= 0:
            loop.call_soon(lambda: loop.unwatch(fd))

    def _expect(self, guardian: GuardianProcess) -> None:
        if not guardian.answered:
            self._lose(guardian, f"it did not answer within {ANSWER_S:g} s")

    def _hear(self, guardian: GuardianProcess) -> None:
        """It has answered, or its end of the channel is closed."""
        with self._lock:
            if guardian not in self._guardians:
                return  # dismissed while this waited for the lock: the channel is closed already
            try:
                here = guardian.hear()
            except BlockingIOError:
                return
        if not here:
            self._lose(guardian, "" if guardian.answered else "it ended before it answered")
            return
        from bundlevisor.actors.process import own_children  # the guardian has no use for it

        own_children.register(guardian.pid)
        self._charged.set()
        self._changed()
        if guardian.died:
            self._report("guardian_replaced", {"died": guardian.died, "pid": guardian.pid})
        self._ask_for_reserve()

    def _lose(self, guardian: GuardianProcess, why: str) -> None:
        """One is dead, or as good as dead: have another one in its place."""
        from bundlevisor.actors.process import own_children

        with self._lock:
            if guardian not in self._guardians:
                return
            if self._loop:
                self._loop.unwatch(guardian.sender.fileno())
            guardian.sender.send(("given_up",))  # one that is late, and that nobody can kill yet
            guardian.end()
            own_children.unregister(guardian.pid)
            guarded = self.first is guardian
            self._guardians.remove(guardian)
            for other in self._guardians:
                other.arrived()  # or it has gone with the one that was to fork it
            self._take_breath(answered=not why)
        self._changed()
        died = guardian.pid or guardian.died
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
