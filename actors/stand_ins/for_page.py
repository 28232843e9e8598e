"""Imports what a page's server is made of, without what that imports and nothing there uses.

Loopback has no TLS: asyncio does without, as on a Python that was built so (OpenSSL is 5 MiB).
Threads of an executor, child processes, logs and traces of errors are imported when there are some.
"""

from __future__ import annotations

import sys

from bundlevisor.actors.stand_ins import for_run
from bundlevisor.actors.stand_ins.late import Late, StandingIn

WAITING = ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")
"""Names that are their own values."""


def import_libraries() -> None:
    """Import asyncio, msgspec and the end of the control pipe."""
    import_asyncio()
    for_run.import_msgspec()
    import_pipes()


def import_pipes() -> None:
    """Import multiprocessing's pipes without ``tempfile``, which they want for other families.

    Behind it are shutil, every compression, and random.
    """
    with StandingIn({"tempfile": Late("tempfile")}):
        import multiprocessing.connection  # noqa: F401


def import_asyncio() -> None:
    """Import asyncio without TLS, executors, child processes, logging, inspection and traces."""
    import concurrent

    sys.modules["ssl"] = None  # type: ignore[assignment]
    logging = Late("logging", getLogger=for_run.LateLogger, DEBUG=10)
    executors = Late("concurrent.futures", **{name: name for name in WAITING})
    concurrent.futures = executors
    stand_ins = {
        "concurrent.futures": executors,
        "inspect": Late("inspect"),
        "linecache": Late("linecache"),
        "logging": logging,
        "subprocess": Late("subprocess", PIPE=-1, STDOUT=-2, DEVNULL=-3),
        "traceback": Late("traceback").with_functions("extract_stack"),
    }
    with StandingIn(stand_ins):
        import asyncio  # noqa: F401
