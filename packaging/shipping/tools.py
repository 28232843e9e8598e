"""Running other programs, and the folder where what is costly to make is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

from shipping import half_built

ZIG = "ziglang==0.17.0"
"""The C compiler for every target, from the package index."""


class CannotBuild(Exception):
    """The folder cannot be built; the message says what is missing and what to do."""


def refuse_foreign(path: str, mark: str) -> None:
    """Raise CannotBuild where what is to be made anew is not ours: it has no file ``mark``."""
    ours = os.path.exists(os.path.join(path, mark))
    if os.path.lexists(path) and not (ours or (os.path.isdir(path) and not os.listdir(path))):
        raise CannotBuild(
            f"{path} would be removed, and holds something else (no {mark}): name a folder that is"
            " empty, or not there yet"
        )


def cache() -> str:
    """Return the folder for downloads and built interpreters, made if need be."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(base, "bundlevisor")
    os.makedirs(path, exist_ok=True)
    return path


def cached(name: str, *inputs: str, make: Callable[[str], None]) -> str:
    """Return the cached folder for these inputs; ``make`` fills it when there is none yet.

    It is made beside its place and renamed when it is complete, so what is there is whole. Who
    wants the same waits for it; what a build that was killed has left is removed.
    """
    path = cached_path(name, *inputs)
    while not os.path.isdir(path):
        with half_built.owned(f"{path}.part") as making:
            if making and not os.path.isdir(path):
                make(making)
                os.rename(making, path)
                half_built.remove_abandoned(cache())
    return path


def cached_path(name: str, *inputs: str) -> str:
    """Return where the cached folder for these inputs is, or will be.

    Inputs may name what lies in the cache: where the cache lies does not count, so that it can be
    moved, and that two builds in different places ask for the same.
    """
    words = "\0".join(inputs).replace(cache(), ".")
    key = hashlib.sha256(words.encode()).hexdigest()[:16]
    return os.path.join(cache(), f"{name}-{key}")


def neutral_paths() -> str:
    """Return the compiler's flag by which what it makes does not tell where the cache lies."""
    return f"-ffile-prefix-map={cache()}=."


def run(
    *command: str, cwd: str | None = None, env: Mapping[str, str] | None = None, log: str = ""
) -> str:
    """Run a program and return what it printed; :class:`CannotBuild` has the end of its output."""
    merged = {**os.environ, **(env or {})}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=merged,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise CannotBuild(f"cannot run {command[0]}: {error.strerror}") from error
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(done.stdout + done.stderr)
    if done.returncode:
        words = " ".join(command)[:200]
        end = (done.stdout + done.stderr).strip()[-2000:]
        raise CannotBuild(f"'{words}' failed ({done.returncode}):\n{end}")
    return done.stdout


def zig() -> str:
    """Return the path of the compiler, installed from the package index on first use."""

    def install(folder: str) -> None:
        run(*pip(), "install", "--no-deps", "--target", folder, ZIG)

    return os.path.join(cached("zig", ZIG, make=install), "ziglang", "zig")


def zig_environment() -> dict[str, str]:
    """Return the environment for the compiler: its caches lie in ours."""
    place = os.path.join(cache(), "zig-cache")
    return {"ZIG_GLOBAL_CACHE_DIR": place, "ZIG_LOCAL_CACHE_DIR": place}


def pip() -> tuple[str, ...]:
    """Return the command for pip, quiet."""
    return (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def strip(path: str) -> bool:
    """Take symbols and debugging information out of a binary; False where no tool can.

    llvm-strip reads the formats of all targets; the binutils' own reads the machine's only. A
    signature of macOS is void afterwards: the application's maker signs everything anew anyway.
    """
    tool = next(filter(shutil.which, ("llvm-strip", *_numbered("llvm-strip"))), None)
    if tool is None:
        return False
    run(tool, "--strip-all" if _is_elf(path) else "--discard-all", path)
    return True


def _numbered(name: str) -> list[str]:
    return [f"{name}-{version}" for version in range(25, 12, -1)]


def _is_elf(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
