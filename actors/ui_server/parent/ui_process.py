"""The runtime's end of a UI server: start it, tell it where the API is, let it go.

Cheap to import: :mod:`multiprocessing` comes with the first start, httptools never (only the UI
server's own process has it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.handover import hand_over

if TYPE_CHECKING:
    import socket

    from bundlevisor.actors.ui_server.config import UiConfig
    from bundlevisor.actors.ui_server.parent.spawned import Spawned

ONLY = ""
"""The name of a page that has its process for itself."""


class UiProcess:
    """A UI server that was started here. Every method may be called when it has ended already."""

    def __init__(self, spawned: Spawned, control: commands.Pipe) -> None:
        self.child = spawned.child
        self._release = spawned.release
        self._control = control

    @property
    def pid(self) -> int:
        """The pid, which on POSIX is its session and process group too."""
        return self.child.pid

    def poll(self) -> int | None:
        """Reap it if it has ended: its exit status, negative for a signal, else None."""
        return self.child.poll()

    def set_upstream(self, port: int | None, page: str = ONLY) -> None:
        """Tell it where the API listens now, None for nowhere; requests in flight go on."""
        self.tell(commands.SetUpstream(page, port))

    def stop(self) -> None:
        """Ask it to stop as SIGTERM does, but on every platform: it ends itself within a second."""
        self.tell(commands.Stop())

    def add(self, page: str, config: UiConfig, listener: socket.socket | None, output: int) -> None:
        """Have it serve one more page; socket and log stay open until their arrival is told.

        For a server that several pages share. One that does not take it whole is ended, since what
        it would make of the rest is not known.
        """
        try:
            self._control.send_bytes(commands.encode(commands.AddPage(page, config)))
            hand_over(self._control, self.pid, listener, output)
        except OSError:
            self.child.kill()

    def tell(self, order: commands.Order) -> None:
        """Give it an order; one that has ended, or whose pipe is closed, needs none."""
        try:
            self._control.send_bytes(commands.encode(order))
        except OSError:
            return

    def hear(self) -> commands.News:
        """Wait for what it says of its pages; EOFError or OSError when it has ended."""
        return commands.decode_news(self._control.recv_bytes())

    def close(self) -> None:
        """Free the pipe; a server that still runs takes its end for ours, and stops."""
        self._control.close()
        self._release()


def start(
    config: UiConfig,
    output_fd: int,
    env: Mapping[str, str],
    listen_socket: socket.socket | None = None,
    *,
    page: str = ONLY,
    pages: int = 1,
) -> UiProcess:
    """Start the server of a page in a process of its own; OSError when that fails.

    ``output_fd`` becomes its stdout and stderr, ``env`` its whole environment. ``listen_socket``
    is taken over and closed here: when it is only bound, connections are refused until the server
    serves; when it listens already, they wait for that. Without one the server binds
    ``config.port`` itself, and an address in use is its exit with a line in the log.

    ``pages``: how many pages it may come to serve; with more than one they are added by name, and
    this first one is ``page``.
    """
    from multiprocessing.connection import Pipe

    from bundlevisor.actors.ui_server.parent.server_process import launch

    ours, theirs = Pipe()
    try:
        spawned = launch(page, config, theirs, listen_socket, output_fd, dict(env), pages)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        if listen_socket is not None:
            listen_socket.close()
    return UiProcess(spawned, ours)
