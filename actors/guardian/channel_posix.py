"""The two ends of the channel on POSIX: a stream socket pair, over which descriptors travel too.

Neither end is inheritable, and a forked child (os.fork) lets go of the sending end, so that the end
of the runtime is the end of the stream.
"""

from __future__ import annotations

import array
import errno
import os
import socket
import sys
import threading
from collections import deque

from bundlevisor.actors.guardian.wire import Decoder, Message, encode

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

ANCILLARY = 64 * 4
"""Bytes for descriptors that arrive with one read; each message brings at most one."""

PID = 4
"""Bytes of the one thing that a guardian says: its pid, when it has taken charge."""

NOT_NOW = (errno.EAGAIN, errno.ENOBUFS, errno.ETOOMANYREFS, errno.EMSGSIZE)
"""The other end does not read at the moment; unix(7). macOS has the last one for a descriptor: what
waits is taken off the space that there is (uipc_send in xnu's uipc_usrreq.c)."""


class Descriptor:
    """A descriptor that closes itself when nobody holds it any more."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        os.close(self.fd)


def duplicate(fd: int) -> Descriptor:
    """Return a duplicate (not inheritable) that lives as long as it is held."""
    return Descriptor(os.dup(fd))


def held(_session: int) -> Descriptor | None:
    """Return what has to be held of a session until the guardian has it: nothing, a number does."""
    return None


def pair() -> tuple[Sender, socket.socket]:
    """Return the runtime's end, and the socket that the guardian makes a Receiver of."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Sender(ours), theirs


class Sender:
    """The runtime's end: any thread may send, and nobody ever waits.

    What the kernel does not take at once (the guardian is stopped or starved) is kept in memory and
    goes out with :meth:`pump`.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._lock = threading.Lock()
        self._backlog: deque[tuple[bytes, Descriptor | None]] = deque()
        os.register_at_fork(after_in_child=self._drop)

    def fileno(self) -> int:
        """Return the descriptor to be watched; it can be read when the guardian is gone."""
        return self._socket.fileno()

    def send(self, message: Message, carried: Descriptor | None = None) -> bool:
        """Send or keep a message; False when something is kept, and :meth:`pump` is due."""
        with self._lock:
            self._backlog.append((encode((carried is not None, *message)), carried))
            return self._pump()

    def pump(self) -> bool:
        """Send what is kept; False when something still is."""
        with self._lock:
            return self._pump()

    def hear(self) -> int | None:
        """Return the pid of a guardian that says it has taken charge; None when it is gone.

        Raises BlockingIOError when it has said nothing.
        """
        try:
            said = self._socket.recv(PID)
        except ConnectionError:
            return None
        return int.from_bytes(said, "little") if said else None

    def finish(self, timeout: float) -> bool:
        """Send what is kept and wait for the guardian's end; False when it did not come in time."""
        if self._socket.fileno() < 0:
            return True  # closed, because there is none at the moment
        try:
            self._socket.settimeout(timeout)
            self.pump()
            while self._socket.recv(PID):
                pass  # its answer, which nobody has read
        except ConnectionError:
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close this end: the guardian takes it for the runtime's death unless told otherwise."""
        self._socket.close()
        self._backlog.clear()

    def _pump(self) -> bool:
        try:
            while self._backlog:
                self._send_first()
        except TimeoutError:
            return False
        except OSError as error:
            if error.errno in NOT_NOW:
                return False
            # Dead: whoever watches this end hears of it, and what counts is sent to the next one.
            self._backlog.clear()
        return True

    def _send_first(self) -> None:
        data, carried = self._backlog[0]
        if carried is None:
            sent = self._socket.send(data)
        else:
            sent = socket.send_fds(self._socket, [data], [carried.fd])
        self._backlog.popleft()
        if sent < len(data):
            self._backlog.appendleft((data[sent:], None))

    def _drop(self) -> None:
        # No lock: the thread that held it does not exist in the child.
        self._socket.close()


class Receiver:
    """The guardian's end."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        self._socket = sock
        self._decoder = Decoder()
        self._arrived: deque[int] = deque()

    def fileno(self) -> int:
        """Return the descriptor of the channel."""
        return self._socket.fileno()

    def answer(self) -> None:
        """Say that this guardian is there, and has taken charge."""
        try:
            self._socket.send(os.getpid().to_bytes(PID, "little"))
        except OSError:
            return  # the runtime is gone, which receive() tells

    def close(self) -> None:
        """Leave the channel to another process."""
        self._socket.close()

    def receive(self) -> list[tuple[Message, int]] | None:
        """Wait for messages, each with its descriptor or -1; None when the other end is gone."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(65536, socket.CMSG_SPACE(ANCILLARY))
        except ConnectionError:
            return None
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self._arrived += _descriptors(content)
        if not data:
            return None
        return [self._paired(message) for message in self._decoder.feed(data)]

    def _paired(self, message: Message) -> tuple[Message, int]:
        carries, *rest = message
        fd = self._arrived.popleft() if carries and self._arrived else -1
        return tuple(rest), fd


def _descriptors(content: bytes) -> list[int]:
    numbers = array.array("i")
    numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return numbers.tolist()
