#!/usr/bin/env python3
"""Checks a folder against its own list of files: ``check.py FOLDER``; 1 when it differs.

Of a folder for macOS it also prints each Mach-O file with its architecture, the oldest macOS that
it runs on and its rpaths, and says which wants a library that is not there.
"""

from __future__ import annotations

import argparse
import sys

from shipping import macho, sums
from shipping.targets import MACOS, TARGETS


def main() -> int:
    """Print a line for each difference; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", metavar="FOLDER")
    folder = parser.parse_args().folder
    try:
        wrong = sums.differences(folder)
    except (OSError, ValueError) as error:
        print(f"{folder} cannot be checked: {error}; name what folder.py has made", file=sys.stderr)
        return 1
    target = TARGETS[sums.read(folder)["target"]]
    if target.system == "darwin":
        lines, strange = macho.complaints(folder, target.machine, MACOS)
        print("\n".join(lines))
        wrong += strange
    for line in sorted(wrong):
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
