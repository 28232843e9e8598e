"""The reactor: one thread that waits for many descriptors and timers, and only calls back.

It owns no state of any service. Callbacks are short, never block, and tell actors what happened.
Sockets can be watched everywhere; pipes, pidfds and kqueues where the platform's selector takes
them (not on Windows).
"""

from __future__ import annotations

import math
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from bundlevisor.actors.loop.clock import SYSTEM, Clock, Sleep
from bundlevisor.actors.loop.timers import Callback, Timer, Timers

__all__ = ["Callback", "Loop", "Timer"]

LOOK_EVERY = 5.0
"""Seconds: the longest sleep of a loop that is to notice a resume, where nothing wakes it."""
GIVE_UP_AFTER = 10
"""A watch whose callback raises this many times in a row is dropped: it would spin for ever."""
LONG_TURN = 0.1
"""Seconds of one callback from which on it is told of: nothing else was seen meanwhile."""
HELD_UP = 0.1
"""Seconds that a loop is late from which on it was held up; a busy machine takes some 10 ms."""
ROUND = 0.002
"""Seconds of calls after which descriptors and timers are looked at before the next call."""

Report = Callable[[str, BaseException], None]
Slow = Callable[[str, float], object]


class _Watch:
    __slots__ = ("failures", "read", "write")

    def __init__(self, read: Callback | None, write: Callback | None) -> None:
        self.read = read
        self.write = write
        self.failures = 0


class Loop(threading.Thread):
    """A daemon thread; ``report(what, error)`` hears of every exception that a callback raises.

    Time asleep never counts for a timer: the monotonic clock stands still on Linux and macOS, and
    where it runs on (Windows) every pending timer is put off by the time slept. Nor, within bounds,
    does time in which the loop was held up (no processor, SIGSTOP): nobody looked for what came.
    """

    def __init__(self, name: str, report: Report, *, clock: Clock = SYSTEM) -> None:
        super().__init__(name=name, daemon=True)
        self._report = report
        self._on_resume: Callable[[float], object] | None = None
        self._on_slow: Slow | None = None
        self.doing: tuple[object, ...] = ()
        """What a callback says that it does, for those who hear of slow ones."""
        self._thread = 0
        self._clock = clock
        self._sleep = Sleep(clock)
        self._looked = math.inf
        self._timers = Timers()
        self._calls: deque[Callback] = deque()
        self._idle = Timers()
        self._stopping = False
        self._waking = False
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, selectors.SelectorKey] = {}
        """What the selector watches: its own map takes 2 µs to be asked, and thrice that for no."""
        self._hear, self._knock = socket.socketpair()
        self._hear.setblocking(False)
        self._knock.setblocking(False)
        self._register(self._hear.fileno(), selectors.EVENT_READ, _Watch(self._woken, None))

    @property
    def inside(self) -> bool:
        """Whether the calling thread is this loop's."""
        return threading.get_ident() == self._thread  # Thread.ident takes five times as long

    @property
    def is_busy(self) -> bool:
        """Whether calls wait for their turn, idle ones too. Safe from any thread."""
        return bool(self._calls or self._idle)

    def call_soon(self, callback: Callback) -> None:
        """Call back on the loop's thread, in the order of the calls. Safe from any thread.

        What was handed over before :meth:`stop` is still called; later calls are dropped.
        """
        self._calls.append(callback)
        self._wake()

    def call_idle(self, callback: Callback, within: float = math.inf) -> None:
        """Call back when there is nothing else to do, in ``within`` seconds at the latest.

        One such call at a time, the most urgent first: what begins to wait meanwhile waits for no
        other. After :meth:`stop` none is made. Loop's thread only.
        """
        self._idle.add(Timer(self._clock.monotonic() + within, callback))

    def call_at(self, when: float, callback: Callback) -> Timer:
        """Call back once ``time.monotonic()`` has reached ``when``. Safe from any thread."""
        timer = Timer(when, callback)
        if self.inside:
            self._timers.add(timer)
        else:
            self.call_soon(lambda: self._timers.add(timer))
        return timer

    def hear_of_resume(self, on_resume: Callable[[float], object]) -> None:
        """Have ``on_resume(seconds)`` called on the loop's thread whenever the machine has slept.

        For more than 2 s, that is. Safe from any thread.
        """

        def listen() -> None:
            self._on_resume = on_resume

        self.call_soon(listen)

    def hear_of_slow(self, on_slow: Slow) -> None:
        """Have ``on_slow(what, seconds)`` called after a callback that took longer than 100 ms."""
        self._on_slow = on_slow

    def watch(self, fd: int, read: Callback | None, write: Callback | None = None) -> None:
        """Call back whenever ``fd`` can be read or written; a second watch replaces the first.

        Only on the loop's thread. Raises OSError (or ValueError) for what cannot be watched.
        """
        self.unwatch(fd)
        events = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        self._register(fd, events, _Watch(read, write))

    def unwatch(self, fd: int) -> bool:
        """Forget ``fd``, before it is closed; False when it was not watched. Loop's thread only."""
        if self._watched.pop(fd, None) is None:
            return False
        self._selector.unregister(fd)
        return True

    def _register(self, fd: int, events: int, watch: _Watch) -> None:
        self._watched[fd] = self._selector.register(fd, events, watch)

    def stop(self, timeout: float = 5.0) -> bool:
        """End the loop and wait at most ``timeout`` seconds for it; True when it has ended.

        Called on the loop's own thread it does not wait.
        """
        self._stopping = True
        if self.ident is None:
            self._close()
            return True
        self._wake()
        if self.inside:
            return False
        self.join(timeout)
        return not self.is_alive()

    def run(self) -> None:
        """Turn until stopped; the body of the thread."""
        self._thread = threading.get_ident()
        try:
            while not self._stopping:
                self._turn()
            self._run_calls(math.inf)
        finally:
            self._close()

    def _turn(self) -> None:
        before = self._clock.monotonic()
        if before - self._looked > HELD_UP:
            self._forgive(before - self._looked, before)  # what is due later may be set since
        wait = self._patience(before)
        try:
            ready = self._selector.select(wait)
        except OSError as error:
            self._tell("select", error)
            self._drop_broken()
            return
        self._looked = self._clock.monotonic()
        self._forgive(self._looked - before - (wait or 0.0))
        for key, events in ready:
            if self._watched.get(key.fd) is key:
                self._run_watch(key, events)
        self._run_calls(ROUND)
        # By the clock of before that look: however late this is, what had come is seen first. And
        # a wait that a signal ends (SIGCONT) has not looked at all.
        due = self._timers.due(before)
        for timer in due:
            self._run(timer.take())
        if self._idle:
            self._run_idle(busy=bool(ready or due or self._calls))

    def _patience(self, now: float) -> float | None:
        if self._calls or self._idle:
            return 0.0
        when = self._timers.next()
        if when is None:
            return LOOK_EVERY if self._on_resume else None
        return min(max(0.0, when - now), LOOK_EVERY if self._on_resume else math.inf)

    def _run_calls(self, seconds: float) -> None:
        """Run the calls that wait now, or as many of them as begin within that time."""
        end = self._clock.monotonic() + seconds
        for _ in range(len(self._calls)):
            self._run(self._calls.popleft())
            if self._clock.monotonic() >= end:
                return

    def _run_idle(self, *, busy: bool) -> None:
        for timer in self._idle.due(self._clock.monotonic()) or (
            () if busy else self._idle.due(math.inf, most=1)
        ):
            self._run(timer.take())

    def _run(self, callback: Callback | None) -> bool:
        if callback is None:
            return True
        began = self._clock.monotonic()
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - a callback's error must not end the loop
            self._tell(f"callback {_name(callback)}", error)
            return False
        finally:
            took = self._clock.monotonic() - began
            if took > LONG_TURN and self._on_slow:
                self._say_slow(self._on_slow, callback, took)
            self.doing = ()
        return True

    def _say_slow(self, tell: Slow, callback: Callback, seconds: float) -> None:
        with suppress(Exception):
            tell(", ".join(map(str, self.doing)) or _name(callback), seconds)

    def _run_watch(self, key: selectors.SelectorKey, events: int) -> None:
        watch: _Watch = key.data
        well = not events & selectors.EVENT_READ or self._run(watch.read)
        if events & selectors.EVENT_WRITE and self._watched.get(key.fd) is key:
            well = self._run(watch.write) and well
        watch.failures = 0 if well else watch.failures + 1
        if watch.failures >= GIVE_UP_AFTER and self._watched.get(key.fd) is key:
            self._drop(key.fd, RuntimeError(f"its callback failed {GIVE_UP_AFTER} times in a row"))

    def _drop(self, fd: int, why: Exception) -> None:
        self.unwatch(fd)
        self._tell(f"watch of descriptor {fd} dropped", why)

    def _tell(self, what: str, error: BaseException) -> None:
        with suppress(Exception):  # a report that fails (a closed stderr) must not end the loop
            self._report(what, error)

    def _drop_broken(self) -> None:
        """A descriptor that was closed under its watch makes select(2) fail: find it."""
        for fd in list(self._watched):
            probe = selectors.SelectSelector()
            try:
                probe.register(fd, selectors.EVENT_READ)
                probe.select(0)
            except (OSError, ValueError) as error:
                self._drop(fd, error)

    def _forgive(self, late: float, until: float = math.inf) -> None:
        """Put timers off by what nothing could be seen in: sleep, or a hold-up until now."""
        slept = self._sleep.lately()
        if slept and self._clock.runs_asleep:
            self._timers.put_off(slept)
            late -= slept
        if late > HELD_UP:
            self._timers.forgive(late, until)
        if slept and self._on_resume:
            resume = self._on_resume
            self._run(lambda: resume(slept))

    def _wake(self) -> None:
        if self._waking or self.inside:
            return
        self._waking = True
        with suppress(OSError):  # full: it wakes anyway; closed: it has ended
            self._knock.send(b"\0")

    def _woken(self) -> None:
        # Cleared before the calls are looked at: who finds it set has appended before that.
        self._hear.recv(4096)
        self._waking = False

    def _close(self) -> None:
        self._selector.close()
        self._hear.close()
        self._knock.close()


def _name(callback: Callback) -> str:
    return getattr(callback, "__qualname__", None) or repr(callback)
