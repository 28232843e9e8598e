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

LONGEST_DATAGRAM = 4096
"""Bytes; longer ones are not looked at (systemd's own bound)."""
BURST = 64
"""Datagrams that are taken at once; then others have their turn."""

LONGEST_PATH = 104
"""Bytes of sun_path on macOS, the NUL at its end included."""
UNKNOWN = -1
"""In place of a sender's pid, where the system does not say it."""

Datagram = tuple[bytes, int]
"""What was sent, and the pid of who has sent it."""

if sys.platform == "win32":

    class NotifySocket:
        """There is none."""

        address = ""
        is_file = False

        def __init__(self, folder: str, name: str) -> None:
            raise OSError(f"Windows has no datagram socket for {os.path.join(folder, name)}")

        def fileno(self) -> int:
            """Return no descriptor."""
            return -1

        def receive(self) -> list[Datagram]:
            """Return nothing."""
            return []

        def close(self) -> None:
            """Nothing is open."""

else:

    class NotifySocket:
        """Bound, and never blocking."""

        def __init__(self, folder: str, name: str) -> None:
            """``folder``: where its file lies, if it has one and can; raises OSError."""
            self._made = ""
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            try:
                self.address = self._bind(folder, name)
            except BaseException:
                self._socket.close()
                raise

        @property
        def is_file(self) -> bool:
            """Whether there is a file that has to go."""
            return not self.address.startswith("@")

        def fileno(self) -> int:
            """Return the descriptor to watch."""
            return self._socket.fileno()

        def receive(self) -> list[Datagram]:
            """Return what has come; descriptors that were sent with it are closed.

            That is what sd_notify_barrier(3) waits for: by then all before has been received.
            """
            found: list[Datagram] = []
            while len(found) < BURST:
                try:
                    data, extra, flags, _ = self._socket.recvmsg(LONGEST_DATAGRAM, _ROOM)
                except OSError:  # nothing more
                    break
                found.append((b"" if flags & socket.MSG_TRUNC else data, _sender(extra)))
            return found

        def close(self) -> None:
            """Close it, and remove its file."""
            self._socket.close()
            if self.is_file:
                _remove(self.address)
            if self._made:
                os.rmdir(self._made)

        if sys.platform == "linux":

            def _bind(self, folder: str, name: str) -> str:  # noqa: ARG002 - as on macOS
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                address = f"bundlevisor/{name}-{os.urandom(8).hex()}"
                self._socket.bind(f"\0{address}")
                return f"@{address}"

        else:

            def _bind(self, folder: str, name: str) -> str:
                path = os.path.join(folder, name)
                if len(os.fsencode(path)) >= LONGEST_PATH:
                    import tempfile

                    self._made = tempfile.mkdtemp(prefix="bundlevisor-")
                    path = os.path.join(self._made, "notify")
                else:
                    os.makedirs(folder, 0o700, exist_ok=True)
                _remove(path)
                self._socket.bind(path)
                os.chmod(path, 0o600)
                return path

    def _remove(path: str) -> None:
        try:
            os.unlink(path)
        except OSError:  # it is gone: the user removed app-data
            return

    if sys.platform == "linux":
        import struct

        _CREDENTIALS = struct.Struct("iII")  # struct ucred of unix(7): pid, uid, gid
        _ROOM = socket.CMSG_SPACE(_CREDENTIALS.size)

        def _sender(extra: list[tuple[int, int, bytes]]) -> int:
            for level, kind, data in extra:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    return int(_CREDENTIALS.unpack_from(data)[0])
            return 0

    else:
        _ROOM = 0

        def _sender(extra: list[tuple[int, int, bytes]]) -> int:  # noqa: ARG001 - as on Linux
            return UNKNOWN
