"""Makes ``.venv`` as the lock file says, for ``python3 -m tests``.

The lock is complete, so that nothing need be resolved. uv installs it in a tenth of the processor
time of pip, most of whose is reading what an index has. Where there is no uv, or where it fails (it
reads no pip.conf), pip does, in several processes: the newest, for those that come with Python take
several times as long to look through an index. What starts of the runtime read is compiled at once;
of the rest, selenium and pip among it, most is never imported, and Python compiles what is.
"""

from __future__ import annotations

import glob
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
INSTALLER = "uv"
"""It is locked, and may be absent."""
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
    return new_enough(PYTHON) and read(STAMP) == stamp() and runs_this_checkout()


def runs_this_checkout() -> bool:
    """Return whether its commands run what lies here.

    Not after ``pip install .``, which copies it, and not in a checkout that was moved or copied.
    """
    here = os.path.realpath(ROOT)
    return any(os.path.realpath(read(link).strip()) == here for link in links())


def links() -> list[str]:
    """Return the files by which ``pip install -e`` leads to our code."""
    name = "__editable__.bundlevisor-*.pth"
    places = (("lib", "python*", "site-packages", name), ("Lib", "site-packages", name))
    venv = glob.escape(VENV)
    return [path for inside in places for path in glob.glob(os.path.join(venv, *inside))]


def stamp() -> str:
    """Return what ``.venv`` is made from."""
    return f"{sys.version}\n{digest(LOCK)}\n{digest(PYPROJECT)}\n"


def make(steps: Steps) -> int:
    """Make the environment, with a pip in it unless that of this interpreter can do its work.

    One whose Python is gone, or too old, is made anew: venv leaves the links to it as they are.
    """
    if has_pip(PYTHON):
        return 0
    anew = () if new_enough(PYTHON) else ("--clear",)
    bare = ("--without-pip",) if has_pip(sys.executable, INTO_ANOTHER) else ()
    return steps.run("make .venv", sys.executable, "-m", "venv", *anew, *bare, VENV)


def install(steps: Steps) -> int:
    """Install the lock; return the exit code of what failed."""
    pip: tuple[str, ...] = (PYTHON, "-m", "pip")
    if not has_pip(PYTHON):
        pip = (sys.executable, "-m", "pip", "--python", PYTHON)
    return 0 if install_by_uv(steps, pip) else install_by_pip(steps, pip)


def install_by_uv(steps: Steps, pip: tuple[str, ...]) -> bool:
    """Return whether uv could be installed, and has installed the lock."""
    words = ("--quiet", "--no-deps", "--system-certs", "--python", PYTHON)
    # No links into its cache: with each new one all others change, whose bytecode is then stale.
    uv = (PYTHON, "-m", INSTALLER, "pip", "install", *words, "--link-mode", "copy")
    first = [line for line in requirements() if named(line) in dependencies()]
    return (
        steps.attempt("install uv", *pip, *FLAGS, "--only-binary", ":all:", locked(INSTALLER))
        and steps.attempt("install what a start reads", *uv, "--compile-bytecode", *first)
        and steps.attempt("install the locked tools", *uv, "-r", LOCK)
    )


def install_by_pip(steps: Steps, pip: tuple[str, ...]) -> int:
    """Install the lock, in several processes, but for uv; return the exit code of what failed."""
    failed = steps.run("install pip", *pip, *FLAGS, "--no-compile", locked("pip"))
    if failed:
        return failed
    pip = (PYTHON, "-m", "pip", *FLAGS)
    read_by_starts = dependencies()
    others = {*read_by_starts, "pip", INSTALLER}
    first = [line for line in requirements() if named(line) in read_by_starts]
    rest = [line for line in requirements() if named(line) not in others]
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


def locked(name: str) -> str:
    """Return the line of the lock for a distribution."""
    (line,) = (line for line in requirements() if named(line) == name)
    return line


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
