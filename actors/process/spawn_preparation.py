"""What a new interpreter of ours is told before it unpickles what it is to do."""

from __future__ import annotations

import os
import sys


def preparation(name: str) -> dict[str, object]:
    """Return what ``multiprocessing.spawn.prepare`` takes in the child; never a main file."""
    return {"name": name, "sys_path": [os.path.abspath(path) for path in sys.path]}
