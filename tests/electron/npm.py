"""The npm package ``electron/``: its tools, and its tests on the installed command."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import absent
from tests.waiting import wait_until

if sys.platform == "win32":
    from bundlevisor.actors.files.lock_windows import acquire
else:
    from bundlevisor.actors.files.lock_posix import acquire

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "electron"
TOOLS = PACKAGE / "node_modules"
LOCK = "package-lock.json"
STAMP = "installed-from"
COMMAND = Path(sys.executable).with_name("bundlevisor.exe" if os.name == "nt" else "bundlevisor")
NODE = shutil.which("node")
NPM = shutil.which("npm")
INSTALL_S = 600.0

needs_node = absent.unless(NODE, "node")
needs_npm = absent.unless(NODE and NPM, "node and npm")


def run(*command: str | Path, cwd: Path = PACKAGE) -> str:
    """Run a command and return what it prints; AssertionError with all of it when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, "BUNDLEVISOR": str(COMMAND)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=580.0,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@functools.cache
def tools() -> Path:
    """Install what the lock says, unless it is there; skip the test when the registry is away.

    Of several tests that need it at the same time one does it, and the others wait.
    """
    if not is_installed():
        (ROOT / "build").mkdir(exist_ok=True)
        with (ROOT / "build" / "npm.lock").open("wb") as lock:
            wait_until(lambda: acquire(lock.fileno()), INSTALL_S, "the installation of another")
            if not is_installed():
                install()
    return TOOLS


def install() -> None:
    """Install elsewhere, and move it in when it is whole."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        folder = Path(name)
        for file in ("package.json", LOCK):
            shutil.copy(PACKAGE / file, folder)
        try:
            # No scripts: Electron's would fetch Electron, of which only the types are needed.
            run(NPM or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            absent.skip(f"the tools of electron/, which cannot be installed: {error}")
        shutil.copy(PACKAGE / LOCK, folder / "node_modules" / STAMP)
        shutil.rmtree(TOOLS, ignore_errors=True)
        (folder / "node_modules").rename(TOOLS)


def is_installed() -> bool:
    """Whether the tools are those of the lock."""
    stamp = TOOLS / STAMP
    return stamp.exists() and stamp.read_bytes() == (PACKAGE / LOCK).read_bytes()
