"""What the UI server's process does before it imports how to serve."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.config import UiConfig

ENOUGH_DESCRIPTORS = 4096
WSAEACCES, WSAEADDRINUSE = 10013, 10048


def main(config: UiConfig, control: commands.Pipe, listener: socket.socket | None) -> None:
    """Serve until SIGTERM, an order to stop, or the end of the control pipe.

    SystemExit with a sentence (exit status 1) when there is nothing to serve or no port for it.
    """
    _default_signals()
    descriptors = _allow_descriptors()
    if not os.path.isdir(config.root):
        raise SystemExit(
            f"service '{config.service_id}': folder to serve not found: {config.root}; "
            "is the bundle complete?"
        )
    listener = listener or bind(config)
    gc.disable()  # what is imported stays anyway
    from bundlevisor.actors.ui_server.server.serving import serve

    gc.enable()
    gc.freeze()
    serve(config, control, listener, descriptors)


def bind(config: UiConfig) -> socket.socket:
    """Take the port, without listening yet: what connects before we serve is refused."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform == "win32":
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((config.host, config.port))
    except OSError as error:
        taken.close()
        raise SystemExit(
            f"service '{config.service_id}': cannot listen on {config.host}:{config.port}: "
            f"{_why(error)}"
        ) from None
    return taken


def _why(error: OSError) -> str:
    """Windows has its own words, and refuses a reserved or exclusive port with EACCES."""
    taken = (errno.EADDRINUSE, WSAEADDRINUSE, WSAEACCES)
    return "address already in use" if error.errno in taken else str(error.strerror)


def _default_signals() -> None:
    """Forget what the runtime ignores or blocks, which is inherited through exec; and Python's own
    SIGINT, for which asyncio would put another handler in the place of ours."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _allow_descriptors() -> int:
    """Return how many may be open; each proxied request takes two, and macOS allows 256 unasked."""
    allowed = ENOUGH_DESCRIPTORS  # on Windows sockets are none of them
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = resource.RLIM_INFINITY
        wanted = ENOUGH_DESCRIPTORS if hard == unlimited else min(ENOUGH_DESCRIPTORS, hard)
        if soft != unlimited and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        allowed = wanted if soft == unlimited else max(soft, wanted)
    return allowed
