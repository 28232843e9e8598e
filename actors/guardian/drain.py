"""What services still write after the runtime's death goes on into their logs."""

from __future__ import annotations

import os
import sys
from functools import partial

from bundlevisor.actors.files import own_file
from bundlevisor.actors.guardian import system
from bundlevisor.actors.guardian.disk import at_once

TYPE_CHECKING = False
if TYPE_CHECKING:  # what it costs to import would be carried by the guardian all its life
    from collections.abc import Callable

    from bundlevisor.actors.guardian.disk import Act
    from bundlevisor.actors.guardian.inflight import Rescue
    from bundlevisor.actors.logs.redact import Redactor

CHUNK = 65536
SHORTEST = 4
"""Bytes of a secret's end by which it is recognised, as in
:mod:`bundlevisor.actors.logs.redact`."""
AT_ONCE = 64
"""Chunks from one pipe before the others have their turn."""
MOST = 256 << 20
"""Bytes for one log; a flood beyond that is read, so that nobody blocks, and dropped."""


class Drain:
    """The spare read end of one service's pipe, and the log that its bytes are appended to."""

    def __init__(
        self,
        fd: int,
        path: str,
        secrets: tuple[tuple[str, bytes], ...] = (),
        held: bytes = b"",
        disk: Callable[[Act, int], bool] = at_once,
    ) -> None:
        """``disk`` is given all that is done to the log."""
        if sys.platform != "win32":
            os.set_blocking(fd, False)
        self.fd = fd
        self.ended = False
        self.written = 0
        self._dropped = 0
        self._refused = 0
        self._disk = disk
        self._path = path
        self._log = -1
        self._secrets = secrets
        self._held = held
        self._beginning: bytes | None = None if held else b""
        """What came first, until it can be told from the end of a secret that was cut in two."""
        self._redactor: Redactor | None = None

    @property
    def dropped(self) -> int:
        """Bytes that reached no log."""
        return self._dropped + self._refused

    def rescue(self, rescued: Rescue) -> None:
        """Finish what the runtime was about to write."""
        self._disk(partial(self._rescue, rescued), len(rescued.data))

    def _rescue(self, rescued: Rescue) -> None:
        self._beginning = None
        if not rescued.written:
            self._take(rescued.data)
            return
        self._append(rescued.missing(self._log) if self._open() else rescued.data)
        self._held = rescued.held

    def pump(self) -> bool:
        """Move what is in the pipe now, or a fair share of it; False when it is empty."""
        for _ in range(AT_ONCE):
            try:
                data = system.read(self.fd, CHUNK)
            except BlockingIOError:
                return False
            except OSError:
                data = b""
            if not data:
                self.ended = True
                return False
            if not self._disk(partial(self._take, data), len(data)):
                self._refused += len(data)
        return True

    def empty(self) -> None:
        """Move all that is in the pipe; not more than it can hold, if somebody goes on writing."""
        for _ in range(AT_ONCE):
            if self.ended or not self.pump():
                return

    def close(self) -> None:
        """Write what was held back and let go of pipe and log."""
        self.ended = True
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
        self._disk(self._close_log, 0)

    def _close_log(self) -> None:
        if self._secrets:
            self._take(b"", last=True)
        if self._log >= 0:
            os.close(self._log)
        self._log = -1

    def _take(self, data: bytes, *, last: bool = False) -> None:
        self._append(self._redacted(data, last=last) if self._secrets else data)

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
            written = os.write(self._log, data)
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


def without_rest(data: bytes, secrets: tuple[tuple[str, bytes], ...]) -> bytes:
    """Replace what ``data`` begins with, if it is the end of a secret, or all within one.

    The runtime may have read the first part of a secret before it died. The last three bytes of
    one say nothing, and stay.
    """
    for name, value in secrets:
        if len(data) >= SHORTEST and data in value[1:]:
            return b"[secret:%s]" % name.encode()
        at = value.find(data[:SHORTEST], 1) if len(data) >= SHORTEST else -1
        while at >= 0:
            if data.startswith(value[at:]):
                return b"[secret:%s]" % name.encode() + data[len(value) - at :]
            at = value.find(data[:SHORTEST], at + 1)
    return data


def _redactor(secrets: tuple[tuple[str, bytes], ...], saved: bytes) -> Redactor | None:
    """Return a redactor; None when the program's files are gone: rather no line than a secret."""
    try:
        from bundlevisor.actors.logs.redact import Redactor
    except Exception:  # noqa: BLE001 - whatever is wrong with files that are being replaced
        return None
    return Redactor(secrets, saved)
