"""``python3 -m tests [--everything] [pytest arguments]``: all that has to pass, from a checkout on.

Needs a Python and nothing else. Makes ``.venv`` with the locked tools of ``requirements-dev.txt``
and this project, then runs every check, also after one has failed. Ends with the exit code of the
first that failed. This file itself is read by Pythons that are too old to go on.

What this machine cannot do is left out and named. With ``--everything`` it fails; in CI (``CI`` is
in the environment) whatever is skipped fails that does not need something this machine lacks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time

from tests.checkout_venv import (
    OLDEST,
    PYTHON,
    ROOT,
    VENV,
    install_ourselves,
    install_tools,
    new_enough,
    read,
)
from tests.plugins import SHARED

NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
LIMIT_S = 28 * 60  # what hangs must not eat the summary: CI allows 30 minutes
LIMIT_OF_SOME_S = 7 * 24 * 3600.0  # of tests that somebody names: they may be told to go on long
TIMED_OUT = 124  # as timeout(1) says it

WORKERS = (
    *("-n", str((os.cpu_count() or 1) + 2), "--dist", "worksteal"),
    *("-p", "tests.distribution"),
)
"""Two more than processors: most of a test is waiting for processes. Each begins with tests that
stand together, and have fixtures in common (:mod:`tests.distribution`); who is done takes some from
the end of another's."""
NEEDED_BY = (
    ("the tests in a browser", ("chromium", "google-chrome"), "chromium"),
    ("the tests in a browser", ("chromedriver",), "chromium-driver"),
    ("the tests of the npm package", ("node",), "nodejs"),
    ("its types and its tarball", ("npm",), "npm"),
    ("the native programs", ("cc", "gcc", "clang"), "gcc"),
    ("the system calls of a start", ("strace",), "strace"),
)
"""What needs a program of the system, by which names it goes, and Debian's package of it."""
SKIPPED = os.path.join(VENV, "skipped")
"""Where pytest leaves what it skipped, a line each."""
EVERYTHING = "--everything"
DEMAND = "BUNDLEVISOR_DEMAND"  # what tests/absent.py reads


class Beside:
    """A step that runs beside others; a thread sees when it ends."""

    def __init__(self, name: str, command: tuple[str, ...]) -> None:
        self.name = name
        self.log = os.path.join(VENV, f"{name}.log")
        self._began = self._ended = time.monotonic()
        with open(self.log, "wb") as log:
            self._child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        self._child.wait()
        self._ended = time.monotonic()

    def wait(self, seconds: float) -> tuple[int, float]:
        """Return its exit code, and how many seconds it took itself."""
        self._watcher.join(seconds)
        late = self._watcher.is_alive()
        if late:
            self._child.kill()
            self._watcher.join()
        return TIMED_OUT if late else self._child.returncode, self._ended - self._began


class Steps:
    """Runs one step after the other, within one limit, and remembers how each ended."""

    def __init__(self, limit_s: float) -> None:
        self._end = time.monotonic() + limit_s
        self._ended: list[tuple[str, int, float]] = []
        self._beside: list[Beside] = []

    @property
    def code(self) -> int:
        """The exit code of the first step that failed, or 0."""
        return next((code for _, code, _ in self._ended if code), 0)

    def run(self, name: str, *command: str) -> int:
        """Run a command in the repository and return its exit code."""
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        try:
            left = max(self._end - began, 1.0)
            code = subprocess.run(command, cwd=ROOT, timeout=left, check=False).returncode
        except subprocess.TimeoutExpired:
            code = TIMED_OUT
        except OSError as error:
            print(f"cannot run {command[0]}: {error}")
            code = 1
        self._ended.append((name, code, time.monotonic() - began))
        return code

    def attempt(self, name: str, *command: str) -> bool:
        """Run a command for which another stands in when it fails: then it is not counted."""
        if self.run(name, *command) == 0:
            return True
        self._ended.pop()
        print(f"{name}: not possible here, so that it is done in another way")
        return False

    def begin(self, name: str, *command: str) -> None:
        """Run a command beside the steps that follow, until :meth:`join`; what it says is kept."""
        self._beside.append(Beside(name, command))

    def join(self) -> None:
        """Wait for what runs beside, and print what it has said."""
        for one in self._beside:
            code, took = one.wait(max(self._end - time.monotonic(), 1.0))
            print(f"\n== {one.name}\n{read(one.log)}", flush=True)
            self._ended.append((one.name, code, took))
        self._beside.clear()

    def fail(self, name: str) -> None:
        """Note something that cannot be run and has to be."""
        self._ended.append((name, 1, 0.0))

    def summary(self) -> None:
        """Print a line for each step, and one for what was left out."""
        print("\n== summary")
        for name, code, took in self._ended:
            state = {0: "passed", TIMED_OUT: "timed out"}.get(code, f"FAILED ({code})")
            print(f"{state:12} {took:7.1f} s  {name}")
        for line in read(SKIPPED).splitlines():
            print(f"left out     {line}")
        for what, tool, _ in missing_tools():
            print(f"left out     {what}: {tool} is not installed")
        if os.name != "nt":
            print(
                "left out     the Windows tests: 'python tests/windows/wine.py' runs them in Wine"
            )


def main() -> int:
    """Do everything; return the exit code."""
    if sys.version_info < OLDEST:
        return start_again_with_a_newer_python()
    arguments = [word for word in sys.argv[1:] if word != EVERYTHING]
    set_demand(everything=EVERYTHING in sys.argv)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is imported often is compiled once
    steps = Steps(LIMIT_OF_SOME_S if arguments else LIMIT_S)
    if install_tools(steps) == 0:
        steps.begin("mypy", PYTHON, "-m", "tests.typed")  # which reads our sources as they lie here
        if install_ourselves(steps) == 0:
            install_programs()
            check(steps, arguments)
            for what, tool, _ in missing_tools() if os.environ.get(DEMAND) == "everything" else ():
                steps.fail(f"{what}: {tool} is not installed")
        steps.join()
    steps.summary()
    return steps.code


def set_demand(*, everything: bool) -> None:
    """Say what must not be skipped: all, what is possible in CI, or nothing."""
    if everything:
        os.environ[DEMAND] = "everything"
    elif os.environ.get("CI") and sys.platform == "linux":
        os.environ.setdefault(DEMAND, "possible")


def start_again_with_a_newer_python() -> int:
    """Run this again with a Python that is new enough, or say which is needed."""
    for name in NEWER:
        if shutil.which(name) and new_enough(name):
            return subprocess.call([name, "-m", "tests", *sys.argv[1:]], cwd=ROOT)
    has, needs = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
    print(f"this is Python {has}, the tests need {needs} or newer, and none of {NEWER} is here")
    return 1


def install_programs() -> None:
    """Install what is missing of the system's programs where that is easy: by root on Debian."""
    packages = [package for *_, package in missing_tools()]
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (packages and root and os.path.exists("/etc/debian_version")):
        return
    print(f"\n== install {', '.join(packages)}", flush=True)
    install = ("install", "-y", "-qq", "--no-install-recommends", *packages)
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for words in (("update", "-qq"), install):
        try:
            subprocess.run(
                ["apt-get", *words], env=quiet, stdout=subprocess.DEVNULL, timeout=300, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"{error}; what needs them is left out")
            return


def check(steps: Steps, pytest_arguments: list[str]) -> None:
    """Run every check, whatever the others say; several at once, so that no processor waits."""
    steps.run("ruff check", PYTHON, "-m", "ruff", "check", ".")
    steps.run("ruff format", PYTHON, "-m", "ruff", "format", "--check", ".")
    apart: tuple[str, ...] = ()
    if not pytest_arguments:
        apart = ("-p", "tests.pure_core")
        steps.begin("branches of the pure core", PYTHON, "-m", "tests.pure_core")
        steps.begin("soak", PYTHON, "-m", "bundlevisor.perf", "soak", "--minutes", "1")
    steps.run("compile for pytest", PYTHON, "-m", "tests.rewritten")
    if os.path.exists(SKIPPED):
        os.remove(SKIPPED)
    steps.run("pytest", PYTHON, "-m", "pytest", *SHARED, *WORKERS, *apart, *pytest_arguments)


def missing_tools() -> list[tuple[str, str, str]]:
    """Return what cannot be tested here, the first name of the missing program, its package."""
    return [
        (what, names[0], package)
        for what, names, package in NEEDED_BY
        if not any(map(shutil.which, names))
    ]


if __name__ == "__main__":
    sys.exit(main())
