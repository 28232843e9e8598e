"""What no import statement says: what CPython itself imports, and what the audit has seen.

The audit runs what the product can do and notes each import (``packaging/audit.py``); its lists lie
in ``imports/``.
"""

from __future__ import annotations

import os

from shipping.targets import Target

LISTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "imports")
START = os.path.join(LISTS, "start.txt")
ALWAYS = (
    "__future__",
    "encodings.ascii",
    "encodings.latin_1",
    "encodings.utf_8",
    "encodings.idna",
    "multiprocessing.spawn",
    "multiprocessing.resource_tracker",
)
"""What CPython itself imports, from C or from text that it gives to a child's ``-c``."""
ALWAYS_ON_WINDOWS = ("encodings.mbcs", "encodings.oem")
"""By which the user's own code page is read and written, whatever its number is."""


def always(system: str) -> tuple[str, ...]:
    """Return what CPython itself imports on a system."""
    return ALWAYS + (ALWAYS_ON_WINDOWS if system == "win32" else ())


RENAMED = {"_sha256": "_sha2"}
"""C modules that have another name from CPython 3.12 on: the audit is of 3.11."""


def seen(target: Target, minor: tuple[int, int]) -> tuple[list[str], bool]:
    """Return the modules that the audit has seen, and whether it was on the target's system.

    Where the target cannot be run, what was seen on Linux stands in; some of it is Linux' own.
    ``minor`` is the interpreter's version.
    """
    own = os.path.exists(list_of(target))
    names = read_list(list_of(target) if own else os.path.join(LISTS, "linux.txt"))
    return [RENAMED.get(name, name) if minor >= (3, 12) else name for name in names], own


def waited_for() -> list[str]:
    """Return the modules that a start imports before it is over, which somebody waits for.

    The server of a page is not among them: a process of its own that starts beside the services, it
    unpacks 2 MB in some milliseconds.
    """
    return read_list(START)


def read_list(path: str) -> list[str]:
    """Return the modules that a list has."""
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def list_of(target: Target) -> str:
    """Return where the audit's list for the target's system lies."""
    return os.path.join(LISTS, f"{target.system}.txt")
