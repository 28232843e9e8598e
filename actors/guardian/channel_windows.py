"""The two ends of the channel on Windows: a pipe, and handles laid into the other process.

What stands in a pipe can be read after the writer's death; a socket's end may swallow it. With the
reading end the guardian is given a handle to the services' outer job: as long as it lives, the
services do, and when it ends the kernel ends what is left of them.
"""

from __future__ import annotations

import _winapi
import errno
import msvcrt
import os
import socket
import sys
import threading
from collections import deque
from contextlib import suppress
from ctypes import byref, wintypes
from typing import ClassVar, cast

from bundlevisor.actors.guardian.wire import Decoder, Message, encode
from bundlevisor.actors.process.windows import api, console, jobs

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

ROOM = 1 << 20
"""Bytes that the pipe holds: what is told before the guardian has come up."""

SLICE = 4096
"""Bytes of one write: a pipe that does not wait takes all of a write or nothing."""

PIPE_NOWAIT = 0x1


class Descriptor:
    """A handle that closes itself when nobody holds it any more."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        _winapi.CloseHandle(self.fd)


def duplicate(fd: int) -> Descriptor:
    """Return a handle to what the descriptor is open on, not inheritable."""
    ours, same = _winapi.GetCurrentProcess(), _winapi.DUPLICATE_SAME_ACCESS
    handle = msvcrt.get_osfhandle(fd)
    return Descriptor(_winapi.DuplicateHandle(ours, handle, ours, 0, False, same))


def held(session: int) -> Descriptor | None:
    """Return a handle of our own to a service's job, to be carried by the message about it.

    When the guardian is given one, later or once more, that of the service may be closed, and its
    number another thing's. None where the service has no job, or no handle is to be had.
    """
    ours, same = _winapi.GetCurrentProcess(), _winapi.DUPLICATE_SAME_ACCESS
    try:
        return Descriptor(_winapi.DuplicateHandle(ours, -session, ours, 0, False, same))
    except OSError:
        return None


def pair() -> tuple[Sender, ReadEnd]:
    """Return the runtime's end, and what the guardian makes a Receiver of: a Process's argument.

    A runtime without a console joins a hidden one first, so that the guardian shows no window.
    """
    console.ready()
    reading, writing = _winapi.CreatePipe(None, ROOM)
    sender = Sender(writing)
    return sender, ReadEnd(reading, sender)


class Sender:
    """The runtime's end: any thread may send, and nobody ever waits.

    Until the guardian's process is there, and when the pipe is full, messages are kept.
    """

    def __init__(self, handle: int) -> None:
        mode = wintypes.DWORD(PIPE_NOWAIT)
        api.kernel32.SetNamedPipeHandleState(handle, byref(mode), None, None)
        self._fd = msvcrt.open_osfhandle(handle, os.O_WRONLY | os.O_NOINHERIT)
        self._lock = threading.Lock()
        self._backlog: deque[tuple[Message, Descriptor | None]] = deque()
        self._rest = b""
        self._guardian = 0
        self._bell, self._ear = socket.socketpair()
        self.answered = api.new_event()

    def fileno(self) -> int:
        """Return the socket to be watched; it can be read when the guardian is gone."""
        return self._ear.fileno()

    def send(self, message: Message, carried: Descriptor | None = None) -> bool:
        """Send or keep a message; False when something is kept, and :meth:`pump` is due."""
        with self._lock:
            self._backlog.append((message, carried))
            return self._pump()

    def pump(self) -> bool:
        """Send what is kept; False when something still is."""
        with self._lock:
            return self._pump()

    def connect(self, guardian: int) -> None:
        """Begin to send, to the process with this handle, which stays the caller's."""
        ours = _winapi.GetCurrentProcess()
        same = _winapi.DUPLICATE_SAME_ACCESS
        jobs.runtime_job().duplicate_into(guardian)
        watched = _winapi.DuplicateHandle(ours, guardian, ours, 0, False, same)
        said = _winapi.DuplicateHandle(ours, self.answered, ours, 0, False, same)
        arguments = (watched, said)
        threading.Thread(
            target=self._await, args=arguments, name="end of the guardian", daemon=True
        ).start()
        with self._lock:
            self._guardian = _winapi.DuplicateHandle(ours, guardian, ours, 0, False, same)
            self._pump()

    def hear(self) -> int | None:
        """Return 0 when the guardian says that it is there, None when it is gone.

        Raises BlockingIOError when it has said nothing.
        """
        return 0 if self._ear.recv(1) else None

    def finish(self, timeout: float) -> bool:
        """Send what is kept and wait for the guardian's end; False when it did not come in time."""
        self.pump()
        if not self._guardian:
            return True
        ended = _winapi.WaitForSingleObject(self._guardian, int(timeout * 1000))
        return ended == _winapi.WAIT_OBJECT_0

    def close(self) -> None:
        """Close this end: the guardian takes it for the runtime's death unless told otherwise."""
        with self._lock:
            self._backlog.clear()
            fd, self._fd = self._fd, -1
            handles = [handle for handle in (self._guardian, self.answered) if handle]
            self._guardian = self.answered = 0
        if fd >= 0:
            os.close(fd)
        for handle in handles:
            _winapi.CloseHandle(handle)
        self._ear.close()

    def _await(self, guardian: int, answered: int) -> None:
        """Ring when it has answered, and once more, for good, when it has ended."""
        both = _winapi.WaitForMultipleObjects([guardian, answered], False, _winapi.INFINITE)
        if both == _winapi.WAIT_OBJECT_0 + 1:
            with suppress(OSError):  # closed: it was dismissed before
                self._bell.send(b"\0")
            _winapi.WaitForSingleObject(guardian, _winapi.INFINITE)
        _winapi.CloseHandle(guardian)
        _winapi.CloseHandle(answered)
        self._bell.close()

    def _pump(self) -> bool:
        try:
            while self._guardian and (self._rest or self._backlog):
                if not self._rest:
                    message, carried = self._backlog.popleft()
                    given = self._give(carried.fd) if carried else 0
                    self._rest = encode((given, *message))
                self._rest = self._rest[os.write(self._fd, self._rest[:SLICE]) :]
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EAGAIN):
                return False
            # Dead: whoever watches this end hears of it, and what counts is sent to the next one.
            self._backlog.clear()
            self._rest = b""
        return True

    def _give(self, handle: int) -> int:
        """Give the guardian a handle of its own to the same thing; 0 when it is dead."""
        ours, same = _winapi.GetCurrentProcess(), _winapi.DUPLICATE_SAME_ACCESS
        try:
            return _winapi.DuplicateHandle(ours, handle, self._guardian, 0, False, same)
        except OSError:
            return 0


class ReadEnd:
    """The reading end, on its way to the guardian: pickled by the start of a Process."""

    def __init__(self, handle: int, sender: Sender | None = None, answered: int = 0) -> None:
        self._handle = handle
        self._sender = sender
        self.answered = answered

    def __reduce__(self) -> tuple[type[ReadEnd], tuple[int, None, int]]:
        from multiprocessing import context

        popen = context.get_spawning_popen()
        assert popen is not None  # noqa: S101 - pickled by nothing else
        handle = popen.duplicate_for_child(self._handle)
        answered = 0
        if self._sender is not None:
            answered = popen.duplicate_for_child(self._sender.answered)
            self._sender.connect(popen.sentinel)
        return ReadEnd, (handle, None, answered)

    def fileno(self) -> int:
        """Return the handle, which is what must stay open."""
        return self._handle

    def detach(self) -> int:
        """Return the handle, which is the caller's from now on; 0 when it was let go."""
        handle, self._handle = self._handle, 0
        return handle

    def close(self) -> None:
        """Let go of it; again is success."""
        if handle := self.detach():
            _winapi.CloseHandle(handle)


class Receiver:
    """The guardian's end. Remembers who leads which job, and closes the jobs of the forgotten."""

    pipes: ClassVar[set[int]] = set()
    """Descriptors that came with messages: pipes, where others that are waited for are sockets."""

    leaders: ClassVar[dict[int, int]] = {}
    """Pids of leaders by session; a session is a job's handle here, made negative."""

    def __init__(self, end: ReadEnd) -> None:
        self._end = end
        self._decoder = Decoder()
        self._sessions: dict[str, int] = {}

    def answer(self) -> None:
        """Say that this guardian is there, and has taken charge."""
        if self._end.answered:
            api.set_event(self._end.answered)

    def receive(self) -> list[tuple[Message, int]] | None:
        """Wait for messages, each with its descriptor or -1; None when the other end is gone."""
        try:
            data, _ = _winapi.ReadFile(self._end.fileno(), 65536)
        except OSError:
            return None
        return [self._taken(message) for message in self._decoder.feed(data)]

    def _taken(self, message: Message) -> tuple[Message, int]:
        handle, *rest = message
        if rest[0] == "spawned":
            rest[-1], handle = -cast("int", handle), 0
        self._note(tuple(rest))
        if not handle:
            return tuple(rest), -1
        flags = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
        fd = msvcrt.open_osfhandle(cast("int", handle), flags)
        self.pipes.add(fd)
        return tuple(rest), fd

    def _note(self, message: Message) -> None:
        kind, *fields = message
        if kind == "spawned":
            instance, pid, _, session = cast("tuple[str, int, float, int]", tuple(fields))
            if session:
                self._sessions[instance] = session
                self.leaders[session] = pid
        elif kind == "forget":
            session = self._sessions.pop(cast("str", fields[0]), 0)
            if session:
                self.leaders.pop(session, None)
                _winapi.CloseHandle(-session)
