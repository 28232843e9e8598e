"""The runtime's end of a UI server: start it, tell it where the API is, let it go.

Cheap to import: :mod:`multiprocessing` comes with the first start, aiohttp never (only the UI
server's own process has it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from actors.ui_server import orders

if TYPE_CHECKING:
    import socket

    from actors.ui_server.spawned import Spawned


class UiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one UI server serves; ``root`` is an absolute folder, ``index`` a file in it.

    ``upstream`` is the port of the API on 127.0.0.1; without one the proxied paths answer 502
    until :meth:`UiProcess.set_upstream`. ``proxied`` is False for a bundle that has no API: then
    ``/api`` and ``/ws`` are paths of files and, for a person, of client-side routes.
    """

    service_id: str
    root: str
    port: int
    index: str = "index.html"
    host: str = "127.0.0.1"
    upstream: int | None = None
    proxied: bool = True
    content_security_policy: str = ""
    connect_timeout_ms: int = 5_000
    response_timeout_ms: int = 60_000
    """From the last byte of the request to the first of the API's answer."""
    allowed_origins: tuple[str, ...] = ()
    """Foreign web pages that may use the API through the proxy, as exact origins."""
    max_connections: int = 1000
    """Those over it get one answer: 503, but for ``health_path``."""
    health_path: str = ""
    """The path (without query) that the runtime asks whether the server is well; empty: none."""


class UiProcess:
    """A UI server that was started here. Every method may be called when it has ended already."""

    def __init__(self, spawned: Spawned, control: orders.Pipe) -> None:
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

    def set_upstream(self, port: int | None) -> None:
        """Tell it where the API listens now, None for nowhere; requests in flight go on."""
        self._tell(orders.SetUpstream(port=port))

    def stop(self) -> None:
        """Ask it to stop as SIGTERM does, but on every platform: it ends itself within a second."""
        self._tell(orders.Stop())

    def close(self) -> None:
        """Free the pipe; a server that still runs takes its end for ours, and stops."""
        self._control.close()
        self._release()

    def _tell(self, order: orders.Order) -> None:
        try:
            self._control.send_bytes(orders.encode(order))
        except OSError:
            return  # it has ended, or we have closed


def configure(
    *,
    service_id: str,
    root: str,
    port: int,
    index: str = "index.html",
    upstream: int | None = None,
    proxied: bool = True,
    health_path: str = "",
    metadata: Mapping[str, Any],
) -> UiConfig:
    """Make the configuration from a service and its metadata; ValueError names a bad value.

    Read from metadata: ``content_security_policy`` (text), ``connect_timeout_ms`` and
    ``response_timeout_ms``, ``max_connections`` (integers from 1), ``allowed_origins`` (list of
    texts).
    """
    from actors.ui_server.metadata import read

    settings = read(metadata)
    return UiConfig(
        service_id=service_id,
        root=root,
        port=port,
        index=index,
        upstream=upstream,
        proxied=proxied,
        content_security_policy=settings.content_security_policy,
        connect_timeout_ms=settings.connect_timeout_ms,
        response_timeout_ms=settings.response_timeout_ms,
        allowed_origins=tuple(settings.allowed_origins),
        max_connections=settings.max_connections,
        health_path=health_path,
    )


def start(
    config: UiConfig,
    output_fd: int,
    env: Mapping[str, str],
    listen_socket: socket.socket | None = None,
) -> UiProcess:
    """Start the server in a process of its own; OSError when that fails.

    ``output_fd`` becomes its stdout and stderr, ``env`` its whole environment. ``listen_socket``
    is taken over and closed here: when it is only bound, connections are refused until the server
    serves; when it listens already, they wait for that. Without one the server binds
    ``config.port`` itself, and an address in use is its exit with a line in the log.
    """
    from multiprocessing.connection import Pipe

    from actors.ui_server.process import UiServer

    ours, theirs = Pipe()
    try:
        spawned = UiServer(config, theirs, listen_socket).launch(output_fd, dict(env))
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        if listen_socket is not None:
            listen_socket.close()
    return UiProcess(spawned, ours)
