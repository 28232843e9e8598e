#!/usr/bin/env python3
"""Checks a folder against its own list of files: ``check.py FOLDER``; 1 when it differs."""

from __future__ import annotations

import argparse
import sys

from shipping import sums


def main() -> int:
    """Print a line for each difference; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", metavar="FOLDER")
    wrong = sums.differences(parser.parse_args().folder)
    for line in sorted(wrong):
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
