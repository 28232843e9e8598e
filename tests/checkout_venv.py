"""Makes ``.venv`` as the lock file says, for ``python3 -m tests``.

The lock is complete, so that pip need not resolve, and processes can share the work: each installs
some of it. What starts of the runtime read is compiled at once; of the rest, selenium and pip among
it, most is never imported, and Python compiles what is. The newest pip is installed first: those
that come with Python take several times as long to look through an index.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.__main__ import Steps

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
LOCK = os.path.join(ROOT, "requirements-dev.txt")
PYPROJECT = os.path.join(ROOT, "pyproject.toml")
STAMP = os.path.join(VENV, "installed-from")
PACKAGES = ("bundlevisor", "manifest", "actors", "control", "perf")
OURS = (*PACKAGES, "tests", os.path.join("examples", "notes"))
OLDEST = (3, 11)
INTO_ANOTHER = (22, 3)
"""The first pip that can install into the environment of another interpreter."""
SHARES = 2
FLAGS = ("install", "--quiet", "--disable-pip-version-check", "--no-deps")


def install_tools(steps: Steps) -> int:
    """Make ``.venv`` with all but ourselves, unless it is; return the exit code of what failed."""
    return 0 if is_made() else make(steps) or install(steps)


def install_ourselves(steps: Steps) -> int:
    """Install the project itself, which needs the tools, unless it is; compile what changed."""
    if not is_made():
        words = ("-m", "pip", *FLAGS, "--no-build-isolation", "-e", ROOT)
        failed = steps.run("install bundlevisor", PYTHON, *words)
        if failed:
            return failed
        with open(STAMP, "w", encoding="utf-8") as file:
            file.write(stamp())
    return compile_bytecode(steps)


def is_made() -> bool:
    """Return whether ``.venv`` is as the lock says, with ourselves in it."""
    return new_enough(PYTHON) and read(STAMP) == stamp()


def stamp() -> str:
    """Return what ``.venv`` is made from."""
    return f"{sys.version}\n{digest(LOCK)}\n{digest(PYPROJECT)}\n"


def make(steps: Steps) -> int:
    """Make the environment, with the locked pip in it."""
    pip: tuple[str, ...] = (PYTHON, "-m", "pip")
    if not has_pip(PYTHON):
        bare = has_pip(sys.executable, INTO_ANOTHER)
        words = ("--without-pip",) if bare else ()
        failed = steps.run("make .venv", sys.executable, "-m", "venv", *words, VENV)
        if failed:
            return failed
        if bare:
            pip = (sys.executable, "-m", "pip", "--python", PYTHON)
    (locked,) = (line for line in requirements() if named(line) == "pip")
    return steps.run("install pip", *pip, *FLAGS, "--no-compile", locked)


def install(steps: Steps) -> int:
    """Install the lock, in several processes."""
    pip = (PYTHON, "-m", "pip", *FLAGS)
    read_by_starts = dependencies()
    first = [line for line in requirements() if named(line) in read_by_starts]
    rest = [line for line in requirements() if named(line) not in {*read_by_starts, "pip"}]
    steps.begin("install what a start reads", *pip, *first)
    for share in range(SHARES):
        name = f"install the locked tools, {share + 1} of {SHARES}"
        steps.begin(name, *pip, "--no-compile", *rest[share::SHARES])
    steps.join()
    return steps.code


def compile_bytecode(steps: Steps) -> int:
    """Write our bytecode, that of the tests aside, which pytest makes its own of."""
    words = (PYTHON, "-m", "compileall", "-q", "-x", r"[/\\]test_\w+\.py$", *OURS)
    return steps.run("compile", *words)


def requirements() -> list[str]:
    """Return the lines of the lock, comments aside."""
    lines = [line.strip() for line in read(LOCK).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def dependencies() -> set[str]:
    """Return the names of what the runtime itself needs."""
    import tomllib  # Pythons that are too old read this file too

    with open(PYPROJECT, "rb") as file:
        return {named(wish) for wish in tomllib.load(file)["project"]["dependencies"]}


def named(requirement: str) -> str:
    """Return the distribution's name as an index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=~;\[ ]", requirement)[0]).lower()


def new_enough(python: str) -> bool:
    """Return whether this interpreter is there, works, and is not too old."""
    return answers(python, f"import sys; sys.exit(sys.version_info < {OLDEST})")


def has_pip(python: str, oldest: tuple[int, ...] = (0,)) -> bool:
    """Return whether this interpreter is new enough and has a pip that is."""
    version = "tuple(map(int, pip.__version__.split('.')[:2]))"
    return new_enough(python) and answers(
        python, f"import pip, sys; sys.exit({version} < {oldest})"
    )


def answers(python: str, question: str) -> bool:
    """Return whether this interpreter is there and ends with 0."""
    try:
        return subprocess.call([python, "-c", question], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read(path: str) -> str:
    """Return the text of a file; empty when it is not there."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
