"""A root folder with nothing in it but a shipped folder and the libraries that it wants: libc."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
EXERCISE = ROOT / "packaging" / "exercise.py"
INSIDE = "/opt/Größe & Maß/runtime folder"
"""Where the folder lies in the root: with blanks, and not in ASCII."""


def libraries(folder: Path) -> dict[str, str]:
    """Return the libraries that the folder's binaries want of the system, and their paths."""
    found: dict[str, str] = {}
    for binary in [folder / "lib" / "python", *sorted(folder.rglob("*.so*"))]:
        said = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        for name, path in re.findall(r"^\s*(\S+)(?: => (\S+))? \(0x", said, re.MULTILINE):
            if not (path or name).startswith(str(folder)) and "vdso" not in name:
                found[os.path.basename(name)] = path or name
    return found


def make(root: Path, folder: Path) -> None:
    """Fill the root with the folder and what the system has to have."""
    shutil.copytree(folder, root / INSIDE.lstrip("/"))
    for name in ("dev", "proc", "tmp", "work"):
        (root / name).mkdir()
    for path in libraries(folder).values():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(path, target)


SCRIPT = """
set -e
mount --make-rprivate /
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount --bind "$1$2" "$1$2"
mount -o remount,ro,bind "$1$2"
if touch "$1$2/try" 2>/dev/null; then echo "the folder can be written to"; exit 1; fi
root=$1 folder=$2
shift 2
exec "$@" "$folder" --work /work/bündel --root "$root" --loopback
"""


def exercise(root: Path) -> subprocess.CompletedProcess[str]:
    """Do everything with the folder in the root: no network, read-only, empty environment."""
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        spaces.insert(0, "--map-root-user")
    words = ["unshare", *spaces, "sh", "-c", SCRIPT, "sh", str(root), INSIDE]
    return subprocess.run(
        [*words, sys.executable, str(EXERCISE)], capture_output=True, text=True, check=False
    )
