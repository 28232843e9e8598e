#!/usr/bin/env python3
"""Makes a release, of all that can be installed: ``release.py --output DIR [--target T …]``.

Wheel, folders and npm package are made and checked; nothing is published. Refuses where the
versions of the Python package, of the npm package and of the newest release in CHANGELOG.md differ.
The wheel is installed into a new virtual environment
of each Python on PATH and asked for its version; each folder is checked against its list of files,
and that of this machine does all that exercise.py can; the folders are packed as ``.tar.xz``.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from shipping import product
from shipping.targets import TARGETS
from shipping.tools import CannotBuild, run

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
HOST = "linux-x64"


def main() -> int:
    """Make everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--output", required=True, metavar="DIR")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), dest="targets")
    asked = parser.parse_args()
    output = os.path.abspath(asked.output)
    os.makedirs(output, exist_ok=True)
    try:
        version = one_version()
        wheel(output, version)
        npm_package(output)
        for target in asked.targets or list(TARGETS):
            folder(output, target, version)
    except CannotBuild as error:
        print(f"release.py: {error}", file=sys.stderr)
        return 1
    return 0


def one_version() -> str:
    """Return the version, which has to be the same everywhere."""
    with open(os.path.join(product.ROOT, "electron", "package.json"), encoding="utf-8") as file:
        npm = json.load(file)["version"]
    with open(os.path.join(product.ROOT, "CHANGELOG.md"), encoding="utf-8") as file:
        released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", file.read(), re.MULTILINE)
    told = {
        "bundlevisor/__init__.py": product.version(),
        "electron/package.json": npm,
        "CHANGELOG.md": released[0] if released else "no release",
    }
    if len(set(told.values())) != 1:
        raise CannotBuild("; ".join(f"{file} says {what}" for file, what in told.items()))
    return product.version()


def wheel(output: str, version: str) -> None:
    """Build the wheel, and install it for every Python that is here."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", output,
        product.ROOT)  # fmt: skip
    (made,) = glob.glob(os.path.join(output, f"bundlevisor-{version}-*.whl"))
    for name in PYTHONS:
        python = found(name)
        if python is None:
            print(f"left out: the wheel with {name}, which is not here")
            continue
        with tempfile.TemporaryDirectory() as place:
            run(python, "-m", "venv", place)
            run(os.path.join(place, "bin", "pip"), "install", "--quiet", made)
            said = run(os.path.join(place, "bin", "bundlevisor"), "--version")
        if said.split() != ["bundlevisor", version]:
            raise CannotBuild(f"installed for {python}, the wheel says {said!r}, not {version}")
        print(f"made: {made}: installed and asked with {python}")


def found(name: str) -> str | None:
    """Return a Python that starts: the one on PATH, or one that pyenv keeps."""
    kept = os.path.expanduser(f"~/.pyenv/versions/{name.removeprefix('python')}.*/bin/{name}")
    for python in (name, *sorted(glob.glob(kept))):
        if shutil.which(python) is None:
            continue
        if subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def npm_package(output: str) -> None:
    """Pack the npm package."""
    electron = os.path.join(product.ROOT, "electron")
    if shutil.which("npm") is None:
        print("left out: the npm package; npm is not here")
        return
    if not os.path.isdir(os.path.join(electron, "node_modules")):
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=electron)  # its compiler
    said = run("npm", "pack", "--silent", "--pack-destination", output, cwd=electron)
    print(f"made: {os.path.join(output, said.split()[-1])}")


def folder(output: str, target: str, version: str) -> None:
    """Build, check and pack the folder of a target."""
    made = os.path.join(output, "runtime", target)
    script = os.path.join(HERE, "folder.py")
    run(sys.executable, script, "--target", target, "--output", made)
    run(sys.executable, os.path.join(HERE, "check.py"), made)
    if target == HOST and sys.platform == "linux":
        with tempfile.TemporaryDirectory() as work:
            run(sys.executable, os.path.join(HERE, "exercise.py"), made, "--work", f"{work}/work")
        print(f"made: {made}: did everything")
    else:
        print(f"made: {made}: checked, not run")
    packed = os.path.join(output, f"bundlevisor-{version}-{target}.tar.xz")
    run("tar", "--sort=name", "--owner=0", "--group=0", "--mtime=@0", "-cJf", packed, "-C",
        os.path.dirname(made), target)  # fmt: skip
    print(f"made: {packed}: {os.path.getsize(packed) / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
