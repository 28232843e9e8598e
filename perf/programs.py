"""The program that every service of a measured bundle runs: native where a compiler is found.

The native one (``service.c``, about 0.3 ms from exec to main) is compiled once and kept in the
temporary folder; without a compiler ``service.py`` does the same in some 20 ms and says so.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zlib
from functools import cache

import msgspec

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILERS = ("cc", "gcc", "clang", "tcc")


class Program(msgspec.Struct, frozen=True):
    """A service program; ``path`` is the native binary, or the Python source."""

    native: bool
    path: str

    @property
    def described(self) -> str:
        """One sentence for the head of a report."""
        if self.native:
            return "services are tiny native programs"
        return "services are Python programs, not native ones, which start some 20 ms earlier"


@cache
def find(native: bool = True) -> Program:
    """Return the program to run: the native one if it is wanted and can be compiled."""
    binary = _compiled() if native else None
    if binary:
        return Program(native=True, path=binary)
    return Program(native=False, path=os.path.join(HERE, "service.py"))


def install(program: Program, folder: str) -> str:
    """Put the program into ``folder`` as something that can be executed; return its file name."""
    if program.native:
        name = "service"
        shutil.copy2(program.path, os.path.join(folder, name))
        return name
    shutil.copy(program.path, os.path.join(folder, "service.py"))
    name, text = _launcher(os.path.join(folder, "service.py"))
    target = os.path.join(folder, name)
    with open(target, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.chmod(target, 0o755)
    return name


if sys.platform == "win32":

    def _launcher(source: str) -> tuple[str, str]:
        return "service.cmd", f'@"{sys.executable}" -I -S "{source}" %*\r\n'

    def _compiled() -> str | None:
        """Compile nothing: the program is POSIX's."""
        return None

else:

    def _launcher(source: str) -> tuple[str, str]:
        words = shlex.join([sys.executable, "-I", "-S", source])
        return "service", f'#!/bin/sh\nexec {words} "$@"\n'

    def _compiled() -> str | None:
        source = os.path.join(HERE, "service.c")
        with open(source, "rb") as file:
            version = zlib.crc32(file.read())
        folder = os.path.join(tempfile.gettempdir(), f"bundlevisor-perf-{os.getuid()}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.stat(folder).st_uid != os.getuid():
            return None  # somebody else's folder: nothing in it is to be run
        target = os.path.join(folder, f"service-{version:08x}")
        return target if os.path.exists(target) or _compile(source, target) else None


def _compile(source: str, target: str) -> bool:
    """Compile statically if that works here: the dynamic loader takes half of the start."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return False
    building = f"{target}.{os.getpid()}"
    for link in (["-static"], []):
        command = [compiler, "-O2", *link, "-o", building, source]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            os.replace(building, target)
            return True
    return False
