"""The socket of one start of a service, to which it tells by datagrams how it is (sd_notify(3)).

On Linux it is an abstract one (``@NAME``): no disk that hangs can hold it up, and nothing is left
behind. The kernel says there which process has sent a datagram (SO_PASSCRED, unix(7)). macOS has
neither: the socket is a file in app-data, or, where that path is too long for one (104 bytes), in a
private temporary folder, and whoever may open the file is believed: this user. Python has no such
sockets on Windows.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

LONGEST_DATAGRAM = 4096
"""Bytes; longer ones are not looked at (systemd's own bound)."""
BURST = 64
"""Datagrams that are taken at once; then others have their turn."""
ROOM = BURST * LONGEST_DATAGRAM
"""Bytes that may wait. macOS has room for 4 KiB, and refuses what is more: a READY=1 would be lost
behind many a STATUS= (net.local.dgram.recvspace, uipc_send in xnu's uipc_usrreq.c)."""

LONGEST_PATH = 104
"""Bytes of sun_path on macOS, the NUL at its end included."""
UNKNOWN = -1
"""In place of a sender's pid, where the system does not say it."""

Datagram = tuple[bytes, int]
"""What was sent, and the pid of who has sent it."""


class NotifySocket(Protocol):
    """Bound, and never blocking."""

    @property
    def address(self) -> str:
        """The value of NOTIFY_SOCKET."""

    @property
    def places(self) -> tuple[str, ...]:
        """The paths that have to go, in this order; none where it is no file."""

    def fileno(self) -> int:
        """Return the descriptor to watch."""

    def receive(self) -> Iterator[Datagram]:
        """Yield what has come, one by one; descriptors that were sent with it are closed.

        That is what sd_notify_barrier(3) waits for: who has sent that is still there while what was
        sent before is looked at, and may be gone once the next is taken.
        """

    def close(self) -> None:
        """Close it, and remove its file."""


def open_socket(folder: str, name: str, announce: Callable[[str], object]) -> NotifySocket | None:
    """Return the socket of a start, None where there is none. Raises OSError.

    ``folder`` is where its file lies, if it has one and that can be; ``announce`` is called with
    each of the socket's places before it is there.
    """
    if sys.platform == "win32":
        return None
    elif sys.platform == "linux":  # noqa: RET505 - a type checker reads one of them only
        return AbstractSocket(name)
    else:
        return FileSocket(folder, name, announce)


if sys.platform != "win32":
    from bundlevisor.actors.files import files_posix, own_file

    class FileSocket:
        """A socket that is a file; nobody knows who sends."""

        def __init__(self, folder: str, name: str, announce: Callable[[str], object]) -> None:
            """Bind it in ``folder``, or elsewhere if its path would be too long; raises OSError."""
            self.address = os.path.join(folder, name)
            self.places: tuple[str, ...] = (self.address,)
            too_long = len(os.fsencode(self.address)) >= LONGEST_PATH
            if too_long:
                import tempfile

                folder = os.path.join(tempfile.gettempdir(), f"bundlevisor-{os.urandom(8).hex()}")
                self.address = os.path.join(folder, "notify")
                self.places = (self.address, folder)
            for place in self.places:
                announce(place)
            if too_long:
                files_posix.make_folder(folder, 0o700)
            else:
                own_file.make_folder(folder)
            _remove(self.address)  # of an earlier instance, which is gone
            self._socket = _bound(self.address)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
            os.chmod(self.address, 0o600)

        def fileno(self) -> int:
            """Return the descriptor to watch."""
            return self._socket.fileno()

        def receive(self) -> Iterator[Datagram]:
            """Yield what has come."""
            return ((data, UNKNOWN) for data, _ in _received(self._socket, 0))

        def close(self) -> None:
            """Close it, and remove its file."""
            self._socket.close()
            for place in self.places:
                _remove(place)

    def _bound(address: str) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.setblocking(False)
        try:
            made.bind(address)
        except OSError:
            made.close()
            raise
        return made

    def _received(
        bound: socket.socket, room: int
    ) -> Iterator[tuple[bytes, list[tuple[int, int, bytes]]]]:
        """Yield datagrams with what the kernel says of them, as far as there is room for that."""
        for _ in range(BURST):
            try:
                data, extra, flags, _ = bound.recvmsg(LONGEST_DATAGRAM, room)
            except OSError:  # nothing more
                return
            yield b"" if flags & socket.MSG_TRUNC else data, extra

    def _remove(path: str) -> None:
        """A file, or a folder that is empty; one that is gone is no error."""
        try:
            if os.path.isdir(path):
                os.rmdir(path)
            else:
                os.unlink(path)
        except OSError:  # the user removed app-data
            return


if sys.platform == "linux":
    import struct

    CREDENTIALS = struct.Struct("iII")
    """struct ucred of unix(7): pid, uid, gid."""

    class AbstractSocket:
        """A socket without a file; the kernel says who sends."""

        places = ()

        def __init__(self, name: str) -> None:
            """Bind it; raises OSError."""
            self.address = f"@bundlevisor/{name}-{os.urandom(8).hex()}"
            self._socket = _bound(f"\0{self.address[1:]}")
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

        def fileno(self) -> int:
            """Return the descriptor to watch."""
            return self._socket.fileno()

        def receive(self) -> Iterator[Datagram]:
            """Yield what has come; there is no room for descriptors, which closes them."""
            room = socket.CMSG_SPACE(CREDENTIALS.size)
            return ((data, _sender(extra)) for data, extra in _received(self._socket, room))

        def close(self) -> None:
            """Close it."""
            self._socket.close()

    def _sender(extra: list[tuple[int, int, bytes]]) -> int:
        for level, kind, data in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return int(CREDENTIALS.unpack_from(data)[0])
        return 0
