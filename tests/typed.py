"""``python -m tests.typed``: the types, for each platform; exits with the code of the first fault.

One platform after the other: ``python3 -m tests`` runs this beside the tests, on half a processor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.checkout_venv import ROOT

TYPED = (
    ("linux", ()),  # what pyproject.toml names: the tests too, which are Linux'
    ("darwin", ("bundlevisor",)),
    ("win32", ("bundlevisor", os.path.join("tests", "windows"))),
)
"""For which platforms the types are checked, and of what."""


def main() -> int:
    """Check all, whatever one platform says; return the exit code."""
    codes = [check(system, what) for system, what in TYPED]
    return next((code for code in codes if code), 0)


def check(system: str, what: tuple[str, ...]) -> int:
    """Check one platform; return mypy's exit code."""
    cache = os.path.join(".mypy_cache", system)  # one cache would be thrown away each time
    words = ("--platform", system, "--cache-dir", cache, *what)
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "mypy", *words], cwd=ROOT, check=False).returncode
    print(f"{system}: {time.monotonic() - began:.1f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
