#!/usr/bin/env python3
"""Renews the list of modules that libraries import only when something is called.

``audit.py [--target T] [--with WORD…]``: builds a folder with every module there is, whose
interpreter notes each import, does everything with it that exercise.py can, and writes what the
closure of the import statements had not found (see shipping/closure.py) to ``shipping/imports/``;
with it what is imported from C, as the source of CPython tells. On Linux it also renews the list of
what a start imports, which stays unpacked.
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

from shipping import assembly, audited, cpython_modules, debian_source, sources, wheels
from shipping.targets import TARGETS, Target
from shipping.tools import CannotBuild

HEADER = "# Modules that are imported {}: written by packaging/audit.py.\n"
LATE, START = "only when something is called", "by a start, without the server of a page"
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
        with tempfile.TemporaryDirectory() as work:
            audit = Audit(target, asked.python, asked.before, work)
            found = audit.late()
            if asked.check:
                return lacking(found - set(audit.seen()))
            written = [(audited.list_of(target), LATE, found)]
            if target.system == "linux":
                start = audit.imported("--only-start")
                written.append((audited.START, START, start))
    except (CannotBuild, subprocess.CalledProcessError) as error:
        print(f"audit.py: {error}", file=sys.stderr)
        return 1
    for path, what, names in written:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(HEADER.format(what) + "".join(f"{name}\n" for name in sorted(names)))
        print(f"{path}: {len(names)} modules")
    return 0


def lacking(names: set[str]) -> int:
    """Say what the list lacks; returns the exit code."""
    print(f"the list lacks: {', '.join(sorted(names))}" if names else "the list is complete")
    return int(bool(names))


class Audit:
    """A folder with every module there is, whose interpreter notes each import."""

    def __init__(self, target: Target, python: str | None, before: list[str], work: str) -> None:
        self._target, self._before = target, before
        self._folder, self._work = os.path.join(work, "folder"), os.path.join(work, "work")
        assembly.build(target, self._folder, python=python, everything=True)
        interpreter = sources.interpreter(target, python)
        site = wheels.unpacked(target, interpreter.minor)
        self._minor = interpreter.minor
        self._plain = assembly.followed(target, interpreter, site).modules
        self._every = assembly.select(target, interpreter, site, everything=True)

    def late(self) -> set[str]:
        """Return what everything imports and is not in the closure of the import statements."""
        found = self._noted() | imported_by_c()
        return {name for name in found if name in self._every and name not in self._plain}

    def seen(self) -> list[str]:
        """Return the modules that the list has."""
        return audited.seen(self._target, self._minor)[0]

    def imported(self, *words: str) -> set[str]:
        """Return the modules in source that something imports."""
        return {name for name in self._noted(*words) if name in self._every.sources}

    def _noted(self, *words: str) -> set[str]:
        noted = os.path.join(self._folder, "lib", assembly.NOTED)
        if os.path.exists(noted):
            os.remove(noted)
        command = [sys.executable, EXERCISE, self._folder, "--target", self._target.name]
        command += ["--work", self._work, *words]
        subprocess.run([*command, *(["--with", *self._before] if self._before else [])], check=True)
        with open(noted, encoding="utf-8") as file:
            return set(file.read().split())


def imported_by_c() -> set[str]:
    """Return what CPython's core, and the C modules that are built in, import by name."""
    python = os.path.join(debian_source.CPYTHON.fetched(), "python3.11")
    files = [file for words in cpython_modules.MODULES.values() for file in words.split()]
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
