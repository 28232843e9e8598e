"""An environment into which the wheel is installed, with all that it needs and none of ours."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("control", "manifest", "actors", "perf")
"""Our folders, by whose names others may be called."""
STALE = "of_an_earlier_build.py"
"""A module that is gone, as a build before it went has left it."""
PIP = ("-m", "pip", "--disable-pip-version-check")
LIMIT_S = 600


def built_wheel(tree: Path) -> Path:
    """Copy the checkout to ``tree``, build a wheel beside it, and return that."""
    out = tree.with_name("wheel")
    leave_out = shutil.ignore_patterns(
        ".*", "__pycache__", "build", "dist", "node_modules", "*.egg-info", "tests"
    )
    shutil.copytree(ROOT, tree, symlinks=True, ignore=leave_out)
    stale = tree / "build" / "lib" / "bundlevisor" / STALE
    stale.parent.mkdir(parents=True)
    stale.touch()
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(tree))
    (wheel,) = out.glob("*.whl")
    return wheel


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


class Environment:
    """A virtual environment that has what ours needs, and none of ours."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=os.name != "nt")
        scheme = "nt" if os.name == "nt" else "posix_prefix"
        places = sysconfig.get_paths(scheme, vars={"base": str(folder), "platbase": str(folder)})
        self.packages, self.scripts = Path(places["purelib"]), Path(places["scripts"])
        self.python = str(self.scripts / "python")
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            is_ours = "bundlevisor" in entry.name or entry.name.partition("-")[0] in NAMES
            if not is_ours and not (self.packages / entry.name).exists():
                (self.packages / entry.name).symlink_to(entry)

    def pip(self, *words: str) -> None:
        """Run the environment's own pip, as whoever uses it does: ``--python`` starts two."""
        pip(*words, python=self.python)

    def install(self, wheels: Iterable[Path]) -> None:
        self.pip("install", "--no-index", "--no-deps", *map(str, wheels))

    def run(self, command: str, *words: str, cwd: Path) -> str:
        program = self.python if command == "python" else str(self.scripts / command)
        done = subprocess.run(
            [program, *words],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def damaged(self, name: str) -> list[str]:
        """Return the files of an installed package that are not as its wheel had them."""
        (record,) = self.packages.glob(f"{name}-*.dist-info/RECORD")
        with record.open(newline="") as file:
            rows = [(self.packages / path, said) for path, said, _ in csv.reader(file) if said]
        assert rows
        return [
            str(path)
            for path, said in rows
            if not path.is_file() or said != f"sha256={digest(path.read_bytes())}"
        ]


def pip(*words: str, python: str = sys.executable) -> None:
    done = subprocess.run(
        [python, *PIP, *words], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
