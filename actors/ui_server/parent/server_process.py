"""The UI server as a process of :mod:`multiprocessing`, started in the manner of its spawn method.

The stock spawn method costs 8 MiB for a resource tracker that only shared memory needs, imports
the runtime's ``__main__`` again, and gives the child the runtime's environment and session. What
is used of it here is the rest: the command line (frozen builds included), the bootstrap and the
pickled arguments. The process is not registered with multiprocessing, which would wait for it
without a time-out when the runtime exits: the service actor owns it.
"""

from __future__ import annotations

import io
import os
import pickle
import socket
import sys
from multiprocessing import context, reduction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bundlevisor.actors.ui_server import commands
    from bundlevisor.actors.ui_server.config import UiConfig
    from bundlevisor.actors.ui_server.parent.spawned import Spawned


class UiServer(context.SpawnProcess):
    """The process object: pickled by :func:`launch`, and run in the child.

    It holds the rest pickled once more: what that needs is imported by the child in its own way.
    So this module imports nothing but what is there anyway.
    """

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(name=name)
        self._content = content

    def run(self) -> None:
        """Serve until told to stop; in the child."""
        from bundlevisor.actors.stand_ins.for_page import import_libraries

        import_libraries()
        from bundlevisor.actors.ui_server.server.child import main

        given = pickle.loads(self._content)  # noqa: S301 - of our parent
        page, config, control, listener, pages = given
        main(page, config, control, None if listener is None else listener.socket, pages)


def launch(
    page: str,
    config: UiConfig,
    control: commands.Pipe,
    listener: socket.socket | None,
    output: int,
    env: dict[str, str],
    pages: int,
) -> Spawned:
    """Start the process with its first page and ``env`` as its whole environment; OSError.

    ``pages``: how many there may come to be.
    """
    if sys.platform == "win32":
        from bundlevisor.actors.ui_server.parent.spawn_windows import spawn
    else:
        from bundlevisor.actors.ui_server.parent.spawn_posix import spawn
    given = (page, config, control, None if listener is None else Listener(listener), pages)
    name = "ui server" if pages > 1 else f"ui server {config.service_id}"

    def pickled(spawning: object) -> bytes:
        return _pickled(name, given, spawning)

    return spawn(pickled, output, interpreter_environment(env))


def _pickled(name: str, given: object, spawning: object) -> bytes:
    """``spawning`` is what multiprocessing's own pickling asks for descriptors and pids."""
    from bundlevisor.actors.process.spawn_preparation import preparation

    buffer = io.BytesIO()
    context.set_spawning_popen(spawning)  # type: ignore[arg-type]
    try:
        content = bytes(reduction.ForkingPickler.dumps(given))
        reduction.dump(preparation(name), buffer)
        reduction.dump(UiServer(name, content), buffer)
    finally:
        context.set_spawning_popen(None)
    return buffer.getvalue()


class Listener:
    """A socket that can be given to the child without multiprocessing's resource sharer.

    On Windows the stock way is a thread and a listening pipe; naming the child's pid is enough.
    """

    def __init__(self, listening: socket.socket) -> None:
        self.socket = listening

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        if sys.platform == "win32":
            spawning = context.get_spawning_popen()
            assert spawning is not None  # noqa: S101 - only spawn_windows pickles it
            return _from_share, (self.socket.share(spawning.pid),)
        else:  # noqa: RET505 - or mypy calls it unreachable on Windows
            return Listener, (self.socket,)


if sys.platform == "win32":

    def _from_share(shared: bytes) -> Listener:
        return Listener(socket.fromshare(shared))


def interpreter_environment(env: dict[str, str]) -> dict[str, str]:
    """The service's environment, but for what steers our interpreter: that stays the runtime's."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    return {n: v for n, v in env.items() if not n.startswith("PYTHON")} | ours
