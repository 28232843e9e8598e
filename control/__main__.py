"""The command ``bundlevisor``: ``run`` goes the shortest way, everything else to the CLI."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from control import options


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code (see :mod:`control.cli`)."""
    if getattr(sys, "frozen", False):
        import multiprocessing

        multiprocessing.freeze_support()
    parsed = options.parse(sys.argv[1:] if argv is None else argv)
    if isinstance(parsed, options.RunOptions):
        from control.runtime import run

        return run(parsed)
    from control.cli import dispatch

    return dispatch(parsed)


if __name__ == "__main__":
    sys.exit(main())
