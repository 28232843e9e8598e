"""The command as it is installed: what users start is what tests of whole behaviour start."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("actors", "bundlevisor", "control", "manifest")


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


def install(folder: Path, put: Callable[[Path, Path], object]) -> Path:
    """Make an environment of its own: an interpreter, our packages and what they need. POSIX.

    ``put(there, here)`` puts a package of ours into it; all else are links.
    """
    library = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = library / "site-packages"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    for entry in Path(sysconfig.get_path("stdlib")).iterdir():
        if entry.name not in ("site-packages", "dist-packages"):
            (library / entry.name).symlink_to(entry)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in PACKAGES:
            (packages / entry.name).symlink_to(entry)
    for name in PACKAGES:
        put(packages / name, ROOT / name)
    (folder / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    (folder / "pyvenv.cfg").write_text(f"home = {folder}/bin\n")
    shutil.copy(ROOT / "packaging" / "bundlevisor", folder / "bin" / "bundlevisor")
    return folder


def linked(farm: Path) -> Callable[[Path, Path], object]:
    """Return what :func:`install` puts a package of ours with: links, by way of a folder ``farm``.

    What starts keep beside the code lies in there: it is that of one installation after the other
    in the same place, and this checkout's own is left alone, which was made for other paths.
    """

    def put(there: Path, here: Path) -> None:
        if not (farm / here.name).exists():
            ignored = shutil.ignore_patterns("start_code.*.pyc", ".*.new")
            shutil.copytree(here, farm / here.name, True, ignored, os.symlink)
        there.symlink_to(farm / here.name)

    return put


def copied(there: Path, here: Path) -> None:
    """Put a package without its bytecode, as for :func:`install`; nobody needs ``perf``."""
    shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__", "perf"))
