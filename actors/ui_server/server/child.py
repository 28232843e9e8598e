"""What the UI server's process does before it imports how to serve."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.config import UiConfig

ENOUGH_DESCRIPTORS = 4096
"""For one page."""
STANDARD_OUTPUT = 1


def main(
    page: str,
    config: UiConfig,
    control: commands.Pipe,
    listener: socket.socket | None,
    pages: int,
) -> None:
    """Serve until SIGTERM, an order to stop, or the end of the control pipe.

    ``pages``: how many there may come to be; where this one is the only one, SystemExit with status
    1 when there is nothing to serve or no port for it.
    """
    _default_signals()
    descriptors = _allow_descriptors(ENOUGH_DESCRIPTORS * pages) // pages
    gc.disable()  # what is imported stays anyway
    from bundlevisor.actors.ui_server.server.orders import NewPage
    from bundlevisor.actors.ui_server.server.page_log import PageLog
    from bundlevisor.actors.ui_server.server.serving import serve

    shared = pages > 1
    if shared:  # when the next page comes the program's files may have been replaced
        import bundlevisor.actors.ui_server.handover  # noqa: F401
    gc.enable()
    gc.freeze()
    log = PageLog(os.dup(STANDARD_OUTPUT) if shared else STANDARD_OUTPUT)
    status = serve(NewPage(page, config, listener, log), control, descriptors, shared=shared)
    if status:
        raise SystemExit(status)


def _default_signals() -> None:
    """Forget what the runtime ignores or blocks, which is inherited through exec; and Python's own
    SIGINT, for which asyncio would put another handler in the place of ours."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _allow_descriptors(enough: int) -> int:
    """Return how many may be open; each proxied request takes two, and macOS allows 256 unasked."""
    allowed = enough  # on Windows sockets are none of them
    if sys.platform != "win32":
        import resource

        try:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        except OSError:  # a sandbox refuses to say it
            return os.sysconf("SC_OPEN_MAX")
        unlimited = resource.RLIM_INFINITY
        wanted = enough if hard == unlimited else min(enough, hard)
        if soft != unlimited and soft < wanted:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            except ValueError:  # macOS has a limit of its own, 10240, which "unlimited" hides
                if enough <= ENOUGH_DESCRIPTORS:
                    raise
                return _allow_descriptors(ENOUGH_DESCRIPTORS)
        allowed = wanted if soft == unlimited else max(soft, wanted)
    return allowed
