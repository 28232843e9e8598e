"""The log of one service, across its incarnations.

The pipes are read on a loop of their own, so that a slow disk never delays exits and probes. Bytes
go through as they come: ``os.read`` of 64 KiB, one unbuffered ``os.write``, no lines, no decoding.
The pipe is always drained: on a disk that fails the output is lost and counted, and the service
goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.files.tail import tail
from bundlevisor.actors.logs.calls_put_off import CallsPutOff, at_once
from bundlevisor.actors.logs.followers import Followers
from bundlevisor.actors.logs.intake import KEPT, Intake, Watch
from bundlevisor.actors.logs.pipe_copy import PLAIN
from bundlevisor.actors.logs.pipes import PipeReader
from bundlevisor.actors.logs.sink import LogSink
from bundlevisor.actors.loop.reactor import Loop

if TYPE_CHECKING:
    from bundlevisor.actors.logs.calls_put_off import PutOff
    from bundlevisor.actors.logs.follow import Subscription
    from bundlevisor.actors.logs.match import Matcher
    from bundlevisor.actors.logs.pipe_copy import PipeCopy
    from bundlevisor.actors.logs.progress_lines import OnProgress
    from bundlevisor.actors.logs.redact import Redactor

REMEMBERED = 3
"""Ended incarnations (migrations are some as well) whose tail is kept."""
FIRST_BYTES = 1024 * 1024
"""The most of a log that is looked at for what was written before a follower came; the log's thread
waits for that."""


def _nothing() -> None:
    """For callers that do not want to be told."""


def _last(lines: int, path: str) -> bytes:
    return tail(path, lines, FIRST_BYTES)


class LogStream:
    """Everything that one service writes. Every method can be called from any thread.

    None of them blocks: the work is done on the loop's thread, in the order of the
    calls, and the callbacks come there. ``report`` hears sentences about a log that fails.
    ``pipe_copy`` is shared by all the streams of a loop, and its write is that of ``file``.
    ``put_off`` calls back in a better moment than when services are launched: until then their
    pipes hold what they write. Any other call to the stream hands over first what was put off.
    """

    def __init__(
        self,
        service: str,
        file: LogFile,
        loop: Loop,
        report: Callable[[str], None],
        pipe_copy: PipeCopy = PLAIN,
        put_off: PutOff = at_once,
    ) -> None:
        self.bytes_read = 0
        self._loop = loop
        self._sink = LogSink(service, file, report)
        self._pipe_copy = pipe_copy
        self._intakes: dict[str, Intake] = {}
        self._early: dict[str, list[Watch]] = {}
        self._followers = Followers(loop)
        self._calls = CallsPutOff(loop, put_off)

    @property
    def path(self) -> str:
        """The current log file."""
        return self._sink.file.path

    @property
    def bytes_lost(self) -> int:
        """Bytes that never reached the file."""
        return self._sink.lost

    def watch(self, instance: str, matcher: Matcher, on_match: Callable[[str], object]) -> None:
        """Call ``on_match(instance)`` once, when the matcher finds what it looks for.

        Called before :meth:`attach` it sees the incarnation's output from the first byte; later
        it sees what the tail still has of it, and everything after.
        """
        self._calls.soon(lambda: self._watch(instance, Watch(matcher, on_match)))

    def attach(
        self,
        read_fd: int,
        instance: str,
        redactor: Redactor | None = None,
        *,
        starts: bool = True,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Read a new incarnation's pipe; the descriptor is the stream's from now on.

        ``starts``: it is another run of the service, not a migration before it.
        ``on_progress(text, fraction)`` hears of lines that say how far it is.
        """

        def begin() -> Intake:
            self._sink.open(starts=starts)
            return Intake(instance, redactor, on_progress)

        self._calls.soon(lambda: self._attach(read_fd, begin))

    def hide(self, secrets: tuple[tuple[str, bytes], ...]) -> None:
        """Hide these as well in what is written from now on by whoever writes now."""
        self._calls.now(lambda: self._hide(secrets))

    def drain(self, instance: str, done: Callable[[bytes], object]) -> None:
        """After the leader's exit: take what is in the pipe now, and go on reading.

        ``done`` is given what :meth:`tail` returns then. Never waits for the end of file, which
        comes when the last survivor is gone.
        """
        self._calls.now(lambda: self._drain(instance, done))

    def detach(self, instance: str, done: Callable[[], object] = _nothing) -> None:
        """When the tree is gone: take what is in the pipe and close it. Again is no error."""
        self._calls.now(lambda: self._detach(instance, done))

    def follow(self, lines: int = 0, first: Callable[[str], bytes] | None = None) -> Subscription:
        """Return a reader of the last ``lines`` lines and of everything after, without a gap.

        ``first`` returns what it begins with instead, on the loop's thread, of the log's path.
        """
        from bundlevisor.actors.logs.follow import Subscription

        subscription = Subscription(self._followers.leave)
        read = first or partial(_last, lines)
        self._calls.now(lambda: self._followers.join(subscription, lambda: read(self.path)))
        return subscription

    def tail(self, instance: str, lines: int = 400, max_bytes: int = KEPT) -> bytes:
        """Return the last lines that the incarnation wrote, from memory."""
        intake = self._intakes.get(instance)
        return intake.tail(lines, max_bytes) if intake else b""

    def tail_of_start(self, instance: str) -> bytes:
        """Return the end of what a start has written: its migrations too, while they run."""
        begun = [one for one in list(self._intakes) if f"{one}-".startswith(f"{instance}-")]
        return self.tail(begun[-1]) if begun else b""

    def close(self, done: Callable[[], object]) -> None:
        """Drain and close every pipe, and end the subscriptions; then call ``done``."""
        self._calls.now(lambda: self._close(done))

    def _watch(self, instance: str, watch: Watch) -> None:
        intake = self._intakes.get(instance)
        if intake is None:
            self._early.setdefault(instance, []).append(watch)
        else:
            self._listen(intake, watch)
            intake.match(intake.tail(1 << 20, 1 << 20))

    def _listen(self, intake: Intake, watch: Watch) -> None:
        watch.matcher.wake = lambda: self._loop.call_soon(partial(intake.match, b""))
        intake.watches.append(watch)

    def _attach(self, fd: int, begin: Callable[[], Intake]) -> None:
        intake = begin()
        instance = intake.instance
        for watch in self._early.pop(instance, []):
            self._listen(intake, watch)
        self._forget_old()
        self._intakes[instance] = intake
        intake.reader = PipeReader(
            self._loop,
            fd,
            partial(self._take, intake),
            partial(self._finish, intake),
            partial(self._pipe_copy.read, instance),
        )
        intake.reader.start()

    def _hide(self, secrets: tuple[tuple[str, bytes], ...]) -> None:
        for intake in self._intakes.values():
            if not intake.ended:
                intake.hide(secrets)

    def _take(self, intake: Intake, data: bytes) -> None:
        self.bytes_read += len(data)
        self._spread(intake, intake.show(data))
        if intake.watches:
            intake.match(data)

    def _spread(self, intake: Intake, text: bytes) -> None:
        try:
            if intake.redacts:
                self._pipe_copy.output(intake.instance, text, intake.held())
            if text:
                self._sink.write(text)
        finally:
            self._pipe_copy.done()
        if text:
            self._followers.put(text)

    def _finish(self, intake: Intake) -> None:
        intake.ended = True
        self._spread(intake, intake.flush())
        self._pipe_copy.forget(intake.instance)
        intake.stop_matching()

    def _drain(self, instance: str, done: Callable[[bytes], object]) -> None:
        intake = self._intakes.get(instance)
        if intake is None or intake.reader is None or intake.ended:
            done(self.tail(instance))
        else:
            intake.reader.drain(lambda: done(self.tail(instance)))

    def _detach(self, instance: str, done: Callable[[], object]) -> None:
        for watch in self._early.pop(instance, []):
            watch.matcher.close()
        intake = self._intakes.get(instance)
        if intake is None or intake.reader is None or intake.ended:
            done()
            return
        intake.reader.drain(partial(self._let_go, intake, done))

    def _let_go(self, intake: Intake, done: Callable[[], object]) -> None:
        if intake.reader is not None:
            intake.reader.close()
        if not intake.ended:
            self._finish(intake)
        done()

    def _forget_old(self) -> None:
        ended = [instance for instance, intake in self._intakes.items() if intake.ended]
        for instance in ended[:-REMEMBERED]:
            del self._intakes[instance]

    def _close(self, done: Callable[[], object]) -> None:
        open_ = [instance for instance, intake in self._intakes.items() if not intake.ended]
        left = set(open_)

        def one(instance: str) -> None:
            left.discard(instance)
            if not left:
                self._end_followers()
                done()

        if not open_:
            self._end_followers()
            done()
        for instance in open_:
            self._detach(instance, partial(one, instance))

    def _end_followers(self) -> None:
        self._followers.end()
        self._sink.close()
