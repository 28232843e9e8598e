#!/usr/bin/env python3
"""Renews the list of modules that libraries import only when something is called.

``audit.py [--target T] [--with WORD…]``: builds a folder with every module there is, whose
interpreter notes each import, does everything with it that exercise.py can, and writes what the
closure of the import statements had not found (see shipping/closure.py) to ``shipping/imports/``;
with it what is imported from C, as the source of CPython tells.
``--check`` writes nothing and ends with 1 when the list lacks one.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

from shipping import assembly, closure, cpython_build, debian_source, sources, wheels
from shipping.targets import TARGETS, Target
from shipping.tools import CannotBuild

HEADER = (
    "# Modules that are imported only when something is called: written by packaging/audit.py.\n"
)
EXERCISE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exercise.py")


def main() -> int:
    """Renew or check the list; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--target", default="linux-x64", choices=sorted(TARGETS))
    parser.add_argument("--python", metavar="DIR", help="as for folder.py")
    parser.add_argument("--check", action="store_true", help="say what the list lacks")
    parser.add_argument("--with", dest="before", nargs=argparse.REMAINDER, default=[])
    asked = parser.parse_args()
    target = TARGETS[asked.target]
    try:
        found = late_imports(target, asked.python, asked.before)
    except (CannotBuild, subprocess.CalledProcessError) as error:
        print(f"audit.py: {error}", file=sys.stderr)
        return 1
    if asked.check:
        lacking = found - set(closure.audited(target)[0])
        print(
            f"the list lacks: {', '.join(sorted(lacking))}" if lacking else "the list is complete"
        )
        return int(bool(lacking))
    with open(closure.list_of(target), "w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER + "".join(f"{name}\n" for name in sorted(found)))
    print(f"{closure.list_of(target)}: {len(found)} modules")
    return 0


def late_imports(target: Target, python: str | None, before: list[str]) -> set[str]:
    """Return what was imported and is not in the closure of the import statements."""
    with tempfile.TemporaryDirectory() as work:
        folder = os.path.join(work, "folder")
        assembly.build(target, folder, python=python, everything=True)
        words = (folder, "--target", target.name, "--work", os.path.join(work, "work"))
        subprocess.run(
            [sys.executable, EXERCISE, *words, *(["--with", *before] if before else [])], check=True
        )
        with open(os.path.join(folder, "lib", assembly.NOTED), encoding="utf-8") as file:
            noted = set(file.read().split()) | imported_by_c()
    interpreter = sources.interpreter(target, python)
    site = wheels.unpacked(target, interpreter.minor)
    plain = assembly.followed(target, interpreter, site).modules
    every = assembly.select(target, interpreter, site, everything=True)
    return {name for name in noted if name in every and name not in plain}


def imported_by_c() -> set[str]:
    """Return what CPython's core, and the C modules that are built in, import by name."""
    python = os.path.join(debian_source.CPYTHON.fetched(), "python3.11")
    files = [file for words in cpython_build.MODULES.values() for file in words.split()]
    paths = [os.path.join(python, "Modules", file) for file in files if file.endswith(".c")]
    for folder in ("Python", "Objects"):
        paths += glob.glob(os.path.join(python, folder, "*.c"))
    found: set[str] = set()
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            found.update(re.findall(r'PyImport_ImportModule\w*\(\s*"([\w.]+)"', file.read()))
    return found


if __name__ == "__main__":
    sys.exit(main())
