"""What takes long to make and many tests need: one of them makes it for all workers of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.environment import ROOT, built_wheel
from tests.waiting import wait_until

BUILDER = ROOT / "packaging" / "folder.py"
BUILD_S = 1500
"""Seconds for a test, the compilations before it included: some ten minutes on two busy cores."""


def wheel(factory: pytest.TempPathFactory) -> Path:
    """Return a wheel, built from the tree as pip does."""
    folder = made_once(factory, "wheel", lambda place: built_wheel(place / "tree" / "bundlevisor"))
    (found,) = (folder / "tree" / "wheel").glob("*.whl")
    return found


def shipped_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this platform, as an application ships it; not to be changed."""
    return made_once(factory, "shipped", lambda place: build(place / "folder")) / "folder"


def build(output: Path) -> str:
    """Build the folder; the running Python stands in for an interpreter that is not built yet."""
    words = ["--target", "linux-x64", "--output", str(output), "--stand-in", sys.base_prefix]
    done = subprocess.run(
        [sys.executable, BUILDER, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of this run; who asks first fills it by ``make``, the others wait for it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each worker has a folder in that of the run
    folder, making = base / f"made-{name}", base / f"making-{name}"
    while not folder.is_dir():
        try:
            making.mkdir()
        except FileExistsError:
            wait_until(
                lambda: folder.is_dir() or not making.is_dir(),
                BUILD_S,
                f"{name}, which another worker makes",
            )
            continue
        if folder.is_dir():  # another worker has finished it since the look
            making.rmdir()
            break
        try:
            make(making)
            making.rename(folder)
        except BaseException:
            shutil.rmtree(making)
            raise
    return folder
