"""The profile by which CPython is optimised: which of its branches the product takes, how often.

It is kept in the repository (``cpython.profdata.xz``), made anew by packaging/train.py: a build
compiles once, needs no run of what it builds, and two builds are the same bytes. It stands for all
processors: what it counts are branches of the source, before the compiler knows its target.
"""

from __future__ import annotations

import hashlib
import lzma
import os

from shipping.tools import cached

PROFILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cpython.profdata.xz")
NAMES = ("-mllvm", "-static-func-full-module-prefix=false")
"""A static function is known by the name of its file without the folder, which differs."""
COUNTING = (
    *("-fprofile-generate", *NAMES),
    *("-mllvm", "-disable-vp=true", "-mllvm", "-enable-name-compression=false"),
)
"""The compiler's flags for an interpreter that counts; no values, no packed names (counters.py)."""
SMALL = ("-mllvm", "-pgo-cold-func-opt=optsize")
"""What the product never did is compiled to be small."""


def using() -> tuple[str, ...]:
    """Return the compiler's flags for an interpreter that is optimised by the profile."""
    with open(PROFILE, "rb") as file:
        packed = file.read()

    def unpack(folder: str) -> None:
        with open(os.path.join(folder, "cpython.profdata"), "wb") as file:
            file.write(lzma.decompress(packed))

    folder = cached("profile", hashlib.sha256(packed).hexdigest(), make=unpack)
    return (f"-fprofile-use={folder}/cpython.profdata", *NAMES, *SMALL)
