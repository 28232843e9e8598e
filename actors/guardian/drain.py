"""What services still write after the runtime's death goes on into their logs."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial

from bundlevisor.actors.files import own_file
from bundlevisor.actors.guardian import system
from bundlevisor.actors.guardian.disk import Here

TYPE_CHECKING = False
if TYPE_CHECKING:  # what it costs to import would be carried by the guardian all its life
    from collections.abc import Callable

    from bundlevisor.actors.guardian.disk import Disk
    from bundlevisor.actors.guardian.inflight import Inflight, Rescue
    from bundlevisor.actors.logs.redact import Redactor

CHUNK = 65536
AT_ONCE = 64
"""Chunks from one pipe before the others have their turn."""
BEGINNING = b"\xff" * 4
"""Before what came first and is not written yet; what a redactor saves begins otherwise."""
MOST = 256 << 20
"""Bytes for one log; a flood beyond that is read, so that nobody blocks, and dropped."""


class Unprotected:
    """The system's read and write: what is under way dies with us."""

    def read(self, instance: str, fd: int) -> bytes:  # noqa: ARG002 - as of an Inflight
        """Read."""
        return system.read(fd, CHUNK)

    def output(self, instance: str, text: bytes, held: bytes) -> None:
        """Nobody has to know."""

    def write(self, fd: int, data: bytes) -> int:
        """Write."""
        return os.write(fd, data)

    def done(self) -> None:
        """Nobody has to know."""


class Drain:
    """The spare read end of one service's pipe, and the log that its bytes are appended to.

    While the disk does what it is given, what is read is in the memory of ``copy`` until it stands
    in the log, and whoever takes over finds it there. While it hangs, the pipe is emptied all the
    same, so that nobody who writes has to wait: that is in our own memory.
    """

    def __init__(
        self,
        fd: int,
        path: str,
        secrets: tuple[tuple[str, bytes], ...] = (),
        held: bytes = b"",
        disk: Disk | Here | None = None,
        instance: str = "",
        copy: Inflight | None = None,
    ) -> None:
        """``disk`` is given all that is done to the log; ``instance`` is known to the ``copy``."""
        if sys.platform != "win32":
            os.set_blocking(fd, False)
        self.fd = fd
        self.ended = False
        self.written = 0
        self._dropped = 0
        self._refused = 0
        self._disk = disk or Here()
        self._path = path
        self._log = -1
        self._secrets = secrets
        self._instance = instance
        self.copy = copy or Unprotected()
        self._resuming = copy
        self._reading = threading.Lock()
        self._turn = 0
        """Who reads: an act of the disk whose turn is over leaves the pipe alone."""
        self._has_more = False
        self._held, self._beginning = _split(held)
        """What a redactor held back; what came first, until it can be told from the end of a secret
        that was cut in two."""
        self._redactor: Redactor | None = None

    @property
    def dropped(self) -> int:
        """Bytes that reached no log."""
        return self._dropped + self._refused

    def rescue(self, rescued: Rescue) -> None:
        """Finish what another process was about to write, which the copy has resumed."""
        self._disk.do(partial(self._rescue, rescued), len(rescued.data))

    def _rescue(self, rescued: Rescue) -> None:
        if not rescued.written:
            self._beginning = self._beginning or None
            self._take(rescued.data)
            return
        self._held, beginning = _split(rescued.held)
        self._beginning = beginning or None
        if self._open() and self._resuming:
            self._append(self._resuming.rest(rescued, self._log))
        else:
            self._dropped += len(rescued.data)
        self.copy.done()

    def pump(self) -> bool:
        """Move what is in the pipe now, or a fair share of it; False when it is empty."""
        with self._reading:
            self._turn += 1
            turn = self._turn
        if self._disk.run(partial(self._pass_on, turn)):
            return self._has_more
        with self._reading:
            self._turn += 1
        return self._store()

    def _pass_on(self, turn: int) -> None:
        """Read and write in turns: nothing is in our memory alone."""
        for _ in range(AT_ONCE):
            with self._reading:
                if turn != self._turn or self.fd < 0:
                    return
                data = self._read(self.copy.read)
                self._has_more = bool(data)
            if not data:
                self.copy.done()
                return
            self._take(data)

    def _store(self) -> bool:
        """Read, for the disk to write when it can."""
        for _ in range(AT_ONCE):
            data = self._read(lambda _, fd: system.read(fd, CHUNK))
            if not data:
                return False
            if not self._disk.do(partial(self._take, data), len(data)):
                self._refused += len(data)
        return True

    def _read(self, read: Callable[[str, int], bytes]) -> bytes:
        """Return what is in the pipe; nothing when it is empty, or has ended, which is noted."""
        try:
            data = read(self._instance, self.fd)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.ended = not data
        return data

    def empty(self) -> None:
        """Move all that is in the pipe; not more than it can hold, if somebody goes on writing."""
        for _ in range(AT_ONCE):
            if self.ended or not self.pump():
                return

    def close(self) -> None:
        """Write what was held back and let go of pipe and log."""
        self.ended = True
        with self._reading:
            if self.fd >= 0:
                os.close(self.fd)
            self.fd = -1
        self._disk.do(self._close_log)

    def _close_log(self) -> None:
        if self._secrets:
            self._take(b"", last=True)
        if self._log >= 0:
            os.close(self._log)
        self._log = -1

    def _take(self, data: bytes, *, last: bool = False) -> None:
        try:
            text = self._redacted(data, last=last) if self._secrets else data
            self.copy.output(self._instance, text, self._state())
            self._append(text)
        finally:
            self.copy.done()

    def _state(self) -> bytes:
        """Return what is held back, as whoever takes over is to be given it."""
        if self._secrets and self._beginning:
            return BEGINNING + self._beginning
        return self._redactor.save() if self._redactor else b""

    def _redacted(self, data: bytes, *, last: bool) -> bytes:
        if self._redactor is None:
            self._redactor = _redactor(self._secrets, self._held)
        if self._redactor is None:
            self._dropped += len(data)
            return b""
        if self._beginning is not None:
            self._beginning += data
            if not last and len(self._beginning) < max(len(value) for _, value in self._secrets):
                return b""
            data, self._beginning = without_rest(self._beginning, self._secrets), None
        return self._redactor.feed(data) + (self._redactor.flush() if last else b"")

    def _append(self, data: bytes) -> None:
        if not data:
            return
        if self.written + len(data) > MOST or not self._open():
            self._dropped += len(data)
            return
        try:
            written = self.copy.write(self._log, data)
        except OSError:
            written = 0
        self.written += written
        self._dropped += len(data) - written

    def _open(self) -> bool:
        if self._log < 0 and self._path:
            try:
                self._log = own_file.open_to_append(self._path)
            except OSError:
                return False
        return self._log >= 0


def _split(held: bytes) -> tuple[bytes, bytes | None]:
    """Return what the redactor held back, and what came first, or None when that is over."""
    if held.startswith(BEGINNING):
        return b"", held.removeprefix(BEGINNING)
    return held, None if held else b""


def without_rest(data: bytes, secrets: tuple[tuple[str, bytes], ...]) -> bytes:
    """Replace what ``data`` begins with, if it is the end of a secret, or all within one.

    The runtime may have read the first part of a secret before it died. The last three bytes of
    one say nothing, and stay.
    """
    if not secrets:
        return data
    from bundlevisor.actors.logs.redact import SHORTEST, shown_as, sought

    for name, whole in secrets:
        value = sought(whole)
        if len(data) >= SHORTEST and data in value[1:]:
            return shown_as(name)
        at = value.find(data[:SHORTEST], 1) if len(data) >= SHORTEST else -1
        while at >= 0:
            if data.startswith(value[at:]):
                return shown_as(name) + data[len(value) - at :]
            at = value.find(data[:SHORTEST], at + 1)
    return data


def _redactor(secrets: tuple[tuple[str, bytes], ...], saved: bytes) -> Redactor | None:
    """Return a redactor; None when the program's files are gone: rather no line than a secret."""
    try:
        from bundlevisor.actors.logs.redact import Redactor
    except Exception:  # noqa: BLE001 - whatever is wrong with files that are being replaced
        return None
    return Redactor(secrets, saved)
