"""What an interpreter for a target consists of, wherever it comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

LEFT_OUT = frozenset(
    {
        "_bz2",
        "_elementtree",
        "_hashlib",
        "_lzma",
        "_sqlite3",
        "_ssl",
        "_tkinter",
        "_uuid",
        "falcon.cyutil.reader",
        "pyexpat",
    }
)
"""C modules that no part of the product calls, though a library tries to import them.

The API, pages and services are asked on the loopback interface, without TLS; archives, XML and data
bases are never read, nor forms of several parts. OpenSSL alone would be five megabytes. Where the
interpreter that was given has one built in, it stays.
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython that programs of the folder are linked with."""

    version: tuple[int, int, int]
    origin: str
    """A sentence for the folder's list of files: where it comes from."""
    stdlib: str
    """Its library in source: the folder that has os.py."""
    headers: tuple[str, ...]
    link: tuple[str, ...]
    """What the linker is given: a static library, or the shared one that goes into the folder."""
    builtin: frozenset[str]
    """The C modules that are in it."""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """The C modules that are files of their own, and where these lie."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What else goes into the folder: place in it, and where it lies now."""
    licences: Mapping[str, str] = field(default_factory=dict)
    zig: str = ""
    """The compiler's name for the target, where it is not the target's own."""

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version."""
        return self.version[:2]


def version_in(headers: str) -> tuple[int, int, int]:
    """Return the version that a folder of headers is for."""
    found: dict[str, int] = {}
    with open(os.path.join(headers, "patchlevel.h"), encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) >= 3 and words[0] == "#define" and words[2].isdigit():
                found[words[1]] = int(words[2])
    return found["PY_MAJOR_VERSION"], found["PY_MINOR_VERSION"], found["PY_MICRO_VERSION"]
