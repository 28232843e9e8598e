"""Runs one of these programs by its name: ``python -I -S run.py NAME [--option value]...``."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    __import__(sys.argv[1]).main()
