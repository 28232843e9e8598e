"""The command as it is installed: what users start is what tests of whole behaviour start."""

from __future__ import annotations

import os
import shutil
import sys


def command() -> list[str]:
    """Return the words that stand for ``bundlevisor``: the command beside this interpreter.

    Under Wine the packages lie in a folder without any command, and the module is all there is.
    Raises FileNotFoundError where the command could be installed and is not.
    """
    folder = os.path.dirname(os.path.abspath(sys.executable))
    found = shutil.which("bundlevisor", path=folder)
    if found:
        return [found]
    if os.environ.get("WINEPREFIX"):
        return [sys.executable, "-m", "bundlevisor"]
    raise FileNotFoundError(f"no 'bundlevisor' in {folder}: pip install -e '.[dev]'")


COMMAND = command()
