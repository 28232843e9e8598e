"""The command ``bundlevisor``: ``run`` goes the shortest way, everything else to the CLI."""

from __future__ import annotations

import time

STARTED = time.monotonic()
"""When Python ran our first line: the timeline's ``interpreter``."""

import sys  # noqa: E402 - what comes before this line is what the interpreter itself takes
from collections.abc import Sequence  # noqa: E402

from control import options  # noqa: E402


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code (see :mod:`control.cli`)."""
    if getattr(sys, "frozen", False):
        import multiprocessing

        multiprocessing.freeze_support()
    parsed = options.parse(sys.argv[1:] if argv is None else argv)
    if isinstance(parsed, options.RunOptions):
        from control.runtime import run

        return run(parsed, STARTED)
    from control.cli import dispatch

    return dispatch(parsed)


if __name__ == "__main__":
    sys.exit(main())
