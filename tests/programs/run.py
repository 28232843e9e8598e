"""Runs one of these programs by its name: ``python -I -S run.py NAME [--option value]...``."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, os.path.dirname(os.path.dirname(here)))
    module = "tests.programs." + sys.argv[1]
    __import__(module)
    sys.modules[module].main()
