"""Run the tests in a Windows CPython under Wine: ``python tests/windows/wine.py [pytest args]``.

Needs Debian's wine64 and gcc-mingw-w64-x86-64 (installed with apt-get when this runs as root), a
host Python 3.11 and the package index. Everything else is made in ``BUNDLEVISOR_WINE`` (default
``~/.cache/bundlevisor-wine``) and used again. ``--python FILE [args]`` runs a script instead of
pytest. Wine is not Windows: docs/architecture.md says what was and what was not exercised by this.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.windows.wine_python import COMPILER, build

assert sys.platform != "win32"

PACKAGES = ["wine64", "gcc-mingw-w64-x86-64"]
WINE_PLACES = ["/usr/lib/wine/wine64", "/usr/bin/wine64", "/usr/bin/wine"]
PLACES = ("tests/windows", "tests/runtime/test_migrations.py")
"""What is run when nothing is named: Windows' own tests, and those of files that are in use."""
LAST_WORDS_S = 2.0
"""How long the rest of the output may take to come once the command has ended."""
PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> int:
    """Make the environment if need be, run, and return the exit status of what ran."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    began = time.monotonic()
    root = os.path.expanduser(os.environ.get("BUNDLEVISOR_WINE", "~/.cache/bundlevisor-wine"))
    wine = ready_tools()
    if sys.version_info[:2] != (3, 11):
        raise SystemExit("the Windows Python is a 3.11 and copies the host's Lib: run a 3.11")
    with alone(root):
        executable = build(root, PROJECT)
        environment = wine_environment(root)
        make_prefix(wine, environment)
        made = time.monotonic()
        try:
            status = run([wine, executable, *chosen(sys.argv[1:])], environment)
        finally:
            end_everything(wine, environment)
    print(f"environment {made - began:.0f} s, run {time.monotonic() - made:.0f} s, "
          f"{disk_use(root)} MiB in {root}")  # fmt: skip
    return status


@contextlib.contextmanager
def alone(root: str) -> Iterator[None]:
    """Wait until nobody else uses the environment, and keep it."""
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def end_everything(wine: str, environment: dict[str, str]) -> None:
    """End what still runs in the prefix: a run that was cut short leaves processes."""
    server = os.path.join(os.path.dirname(wine), "wineserver")
    if os.path.exists(server):
        subprocess.run([server, "-k"], env=environment, check=False)


def ready_tools() -> str:
    """Return Wine's path; install the two packages when they are missing and we may."""
    wine = find_wine()
    if wine and shutil.which(COMPILER):
        return wine
    if getpass.getuser() != "root" or not shutil.which("apt-get"):
        raise SystemExit(
            f"Wine or mingw is missing: apt-get install {' '.join(PACKAGES)} (as root)"
        )
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    wine = find_wine()
    if not wine:
        raise SystemExit(f"{PACKAGES[0]} is installed, but none of {WINE_PLACES} exists")
    return wine


def find_wine() -> str | None:
    """Return the first Wine that is there."""
    return next((place for place in WINE_PLACES if os.path.exists(place)), None)


def wine_environment(root: str) -> dict[str, str]:
    """Return what Wine and the Windows Python get to see: nothing that the host's Python set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return kept | {
        "WINEPREFIX": os.path.join(root, "prefix"),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
        "PYTHONPATH": windows_path(PROJECT),
        "PYTHONPYCACHEPREFIX": windows_path(os.path.join(root, "pycache")),
        "PYTHONUTF8": "1",
        "NODE_EXE": windows_path(os.path.join(root, "node", "node.exe")),
        "PIP_LAUNCHER": windows_path(pip_launcher()),
    }


def pip_launcher() -> str:
    """Return the program of which pip makes every command on Windows; each pip brings it along."""
    found = importlib.util.find_spec("pip")
    if found is None or not found.origin:
        raise SystemExit(f"{sys.executable} has no pip, which brings the launcher that is tested")
    return os.path.join(os.path.dirname(found.origin), "_vendor", "distlib", "t64.exe")


def windows_path(path: str) -> str:
    """Return the name by which Wine knows a Linux path (drive Z is the root)."""
    return "Z:" + path.replace("/", "\\")


def make_prefix(wine: str, environment: dict[str, str]) -> None:
    """Make Wine's registry and C drive, once, as a Windows 10."""
    if os.path.exists(os.path.join(environment["WINEPREFIX"], "system.reg")):
        return
    os.makedirs(environment["WINEPREFIX"], exist_ok=True)
    run([wine, "wineboot", "-i"], environment)
    run([wine, "winecfg", "-v", "win10"], environment)  # Node refuses the older default


def chosen(arguments: list[str]) -> list[str]:
    """Return python.exe's arguments: a script of one's own, or pytest on what is named."""
    if arguments[:1] == ["--python"]:
        return arguments[1:]
    named = any(os.path.exists(argument.partition("::")[0]) for argument in arguments)
    places = () if named else PLACES
    return ["-m", "pytest", "-p", "no:cacheprovider", *arguments, *places]


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run below NUL and a pipe, or Wine's standard handles are invalid; pass the output on.

    What the command leaves behind may hold the pipe for ever, and is not waited for.
    """
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    passing = threading.Thread(target=pass_on, args=(process.stdout,), daemon=True)
    passing.start()
    try:
        status = process.wait()
        passing.join(LAST_WORDS_S)
    finally:
        process.kill()
    return status


def pass_on(output: IO[bytes]) -> None:
    """Show what comes, as it comes."""
    for line in output:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def disk_use(folder: str) -> int:
    """Return the MiB on disk below ``folder``."""
    counted = subprocess.run(["du", "-sm", folder], capture_output=True, check=True)
    return int(counted.stdout.split()[0])


if __name__ == "__main__":
    sys.exit(main())
