"""A second guardian in reserve: forked by the first, it acts when that one did not finish.

While one guards, another is there already that knows the same. Between the death of one and the
start of its successor nothing would guard. A guardian has one thread and hardly a module, so it can
fork at any time, which the runtime cannot: it takes no new interpreter, nor any file of the
installation, and costs a few hundred KiB.

The elder holds the writing end of a pipe: a byte says that its work is done, the end that it died.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys

from bundlevisor.actors.guardian import channel_posix
from bundlevisor.actors.guardian.shared_memory import shared_memory
from bundlevisor.actors.process import plain_signals, table

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

Receiver = channel_posix.Receiver

DONE = b"."
WAKE_EVERY_MS = 1000
"""An elder that stands still is woken: it does no harm to one that does not."""


class Elder:
    """The guardian that forked this one."""

    def __init__(self, pid: int, pipe: int) -> None:
        self._pid = pid
        self._born = table.created(pid)
        self._pipe = pipe

    def finished(self) -> bool:
        """Wait until it has ended, and return whether it had done its work."""
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while not poll.poll(WAKE_EVERY_MS):
            if self._born is not None:
                table.send(self._pid, self._born, signal.SIGCONT)
        return os.read(self._pipe, 1) == DONE


class Heirs:
    """Those in reserve that this guardian has forked, and the elder that forked it."""

    def __init__(
        self, elder: Elder | None = None, channel: Receiver | None = None, relay: int = -1
    ) -> None:
        self.elder = elder
        self.relay = shared_memory("relay", 0) if relay < 0 else relay
        """Descriptor of the memory in which one says how far its work is, for the next one."""
        self._channel = channel
        """Held until the process ends, of which its end tells."""
        self._forked: list[tuple[int, float, int]] = []
        """Pid and create time of each, and the end of the pipe that tells it of ours."""
        plain_signals.handle(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for an heir

    def fork(self, channel: int, ours: Receiver) -> tuple[Receiver, Heirs] | None:
        """Fork an heir that listens to this channel; its own things there, None here.

        None as well when there is no room for another process, or for files: then its channel ends.
        And when the runtime has given that one up meanwhile: what it was told of it may not have
        found room in the channel, and its end would be taken for the runtime's.
        """
        self._let_go_of_the_dead()
        elder, pipe = os.getpid(), (-1, -1)
        try:
            if channel < 0 or (_has_ended(channel) and not _has_ended(ours.fileno())):
                _close(channel)
                return None
            pipe = os.pipe()
            child = os.fork()
        except OSError:
            _close(channel, *pipe)
            return None
        reading, writing = pipe
        if child:
            _close(channel, reading)
            self._forked.append((child, table.created(child) or 0.0, writing))
            return None
        os.setsid()
        _close(writing, *(one for _, _, one in self._forked))
        ours.close()
        receiver = Receiver(socket.socket(fileno=channel))
        return receiver, Heirs(Elder(elder, reading), receiver, self.relay)

    def tell_done(self) -> None:
        """Say that there is nothing left to be done."""
        for _, _, pipe in self._forked:
            try:
                os.write(pipe, DONE)
            except OSError:
                continue  # it died before us
        self.wake()

    def wake(self) -> None:
        """Have them go on, if somebody has stopped them: they are to hear that all is done."""
        for pid, born, _ in self._forked:
            table.send(pid, born, signal.SIGCONT)

    def _let_go_of_the_dead(self) -> None:
        for one in [*self._forked]:
            pid, born, pipe = one
            if not table.alive(pid, born):
                _close(pipe)
                self._forked.remove(one)


def _has_ended(channel: int) -> bool:
    """Whether the runtime has closed its end; there may be something to read all the same."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _close(*descriptors: int) -> None:
    """Close them; below zero is one that there is no room for."""
    for fd in descriptors:
        if fd >= 0:
            os.close(fd)
