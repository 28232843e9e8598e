"""A relocatable CPython that the user gives, in the layout of python-build-standalone.

That is: ``bin``, ``lib/python3.X``, ``include/python3.X`` and libpython in ``lib`` on Linux and
macOS; ``python3X.dll``, ``DLLs``, ``Lib``, ``include`` and ``libs`` on Windows. An archive with
``install`` or ``python`` above them is taken too, and so is any installation that looks like it.
"""

from __future__ import annotations

import glob
import os
import re
import sys

from shipping.interpreter import Interpreter, version_in
from shipping.targets import GLIBC, Target
from shipping.tools import CannotBuild


def interpreter(target: Target, folder: str) -> Interpreter:
    """Return the interpreter in a folder; :class:`CannotBuild` says what is missing there."""
    base = os.path.abspath(folder)
    for inside in ("python/install", "install", "python"):
        if os.path.isdir(os.path.join(base, inside)) and not _headers(base):
            base = os.path.join(base, inside)
    headers = _headers(base)
    if not headers:
        raise CannotBuild(
            f"{folder} has no Python.h in include/: it takes a CPython in the layout of"
            " python-build-standalone (the archives named install_only), with its headers"
        )
    version = version_in(headers[0])
    if version[:2] > sys.version_info[:2]:
        name = f"python{version[0]}.{version[1]}"
        raise CannotBuild(f"{folder} has a library that this Python is too old to read: use {name}")
    if target.system == "win32":
        return _windows(base, headers, version)
    return _posix(target, base, headers, version)


def _headers(base: str) -> list[str]:
    found = glob.glob(os.path.join(base, "include", "python3.*", "Python.h"))
    found += glob.glob(os.path.join(base, "include", "Python.h"))
    return [os.path.dirname(path) for path in sorted(found)]


def _posix(
    target: Target, base: str, headers: list[str], version: tuple[int, int, int]
) -> Interpreter:
    short = f"{version[0]}.{version[1]}"
    shared = "libpython{}.dylib" if target.system == "darwin" else "libpython{}.so.1.0"
    library = os.path.join(base, "lib", shared.format(short))
    files: dict[str, str] = {}
    if os.path.exists(library):
        files[f"lib/{os.path.basename(library)}"] = library
        rpath = "@loader_path" if target.system == "darwin" else "$ORIGIN"
        link: tuple[str, ...] = (library, f"-Wl,-rpath,{rpath}")
    else:
        library = _static(base, short)
        link = (library, *STATIC[target.system])
    stdlib = os.path.join(base, "lib", f"python{short}")
    extensions = _extensions(os.path.join(stdlib, "lib-dynload"), ".so")
    return Interpreter(
        version=version,
        origin=f"CPython {'.'.join(map(str, version))}, given with --python",
        stdlib=stdlib,
        headers=tuple(headers),
        link=link,
        builtin=_builtin(base, short),
        extensions=extensions,
        files=files,
        licences=_licences(base, stdlib),
        zig=_zig(target, [library, *extensions.values()]),
    )


STATIC = {
    "linux": ("-lm", "-ldl", "-lpthread", "-lrt", "-lutil", "-Wl,-export-dynamic"),
    "darwin": ("-framework", "CoreFoundation", "-Wl,-export_dynamic"),
}
"""What a static libpython needs besides."""


def _static(base: str, short: str) -> str:
    found = glob.glob(os.path.join(base, "lib", "**", f"libpython{short}.a"), recursive=True)
    if not found:
        raise CannotBuild(f"there is no libpython{short} in {base}/lib")
    return min(found, key=len)


def _windows(base: str, headers: list[str], version: tuple[int, int, int]) -> Interpreter:
    short = f"{version[0]}{version[1]}"
    files = {
        name: os.path.join(base, name)
        for name in (f"python{short}.dll", "python3.dll", "vcruntime140.dll", "vcruntime140_1.dll")
        if os.path.exists(os.path.join(base, name))
    }
    if f"python{short}.dll" not in files:
        raise CannotBuild(f"there is no python{short}.dll in {base}")
    return Interpreter(
        version=version,
        origin=f"CPython {'.'.join(map(str, version))}, given with --python",
        stdlib=os.path.join(base, "Lib"),
        headers=tuple(headers),
        link=(files[f"python{short}.dll"],),
        builtin=WINDOWS_BUILTIN,
        extensions=_extensions(os.path.join(base, "DLLs"), ".pyd"),
        files=files,
        licences=_licences(base, os.path.join(base, "Lib")),
    )


def _extensions(folder: str, ending: str) -> dict[str, str]:
    if not os.path.isdir(folder):
        return {}
    names = sorted(name for name in os.listdir(folder) if name.endswith(ending))
    return {name.partition(".")[0]: os.path.join(folder, name) for name in names}


def _builtin(base: str, short: str) -> frozenset[str]:
    """Return what is built in: read from the build's own record, else from the library's names."""
    for path in glob.glob(os.path.join(base, "lib", f"python{short}", "config-*", "config.c")):
        with open(path, encoding="utf-8") as file:
            return frozenset(re.findall(r'\{"(\w+)", ', file.read()))
    return ALWAYS_BUILTIN


def _licences(base: str, stdlib: str) -> dict[str, str]:
    places = (os.path.join(stdlib, "LICENSE.txt"), os.path.join(base, "LICENSE.txt"))
    there = [path for path in places if os.path.exists(path)]
    return {"CPython": there[0]} if there else {}


def _zig(target: Target, binaries: list[str]) -> str:
    """Return the compiler's target: for Linux with the libc that the interpreter itself needs."""
    if target.system != "linux":
        return ""
    newest = max([int(GLIBC.partition(".")[2]), *map(_glibc, binaries)])
    return f"{target.machine}-linux-gnu.2.{newest}"


def _glibc(path: str) -> int:
    with open(path, "rb") as file:
        return max(
            (int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)\0", file.read())), default=0
        )


ALWAYS_BUILTIN = frozenset(
    {
        "_abc",
        "_ast",
        "_codecs",
        "_collections",
        "_functools",
        "_imp",
        "_io",
        "_locale",
        "_operator",
        "_signal",
        "_sre",
        "_stat",
        "_string",
        "_symtable",
        "_thread",
        "_tokenize",
        "_tracemalloc",
        "_typing",
        "_warnings",
        "_weakref",
        "atexit",
        "builtins",
        "errno",
        "faulthandler",
        "gc",
        "itertools",
        "marshal",
        "posix",
        "pwd",
        "sys",
        "time",
    }
)
"""What every CPython for POSIX has built in."""
WINDOWS_BUILTIN = ALWAYS_BUILTIN - {"posix", "pwd"} | {
    "_bisect",
    "_blake2",
    "_codecs_cn",
    "_codecs_hk",
    "_codecs_iso2022",
    "_codecs_jp",
    "_codecs_kr",
    "_codecs_tw",
    "_contextvars",
    "_csv",
    "_datetime",
    "_heapq",
    "_json",
    "_lsprof",
    "_md5",
    "_multibytecodec",
    "_opcode",
    "_pickle",
    "_random",
    "_sha1",
    "_sha256",
    "_sha3",
    "_sha512",
    "_statistics",
    "_struct",
    "_winapi",
    "_xxsubinterpreters",
    "array",
    "audioop",
    "binascii",
    "cmath",
    "math",
    "mmap",
    "msvcrt",
    "nt",
    "winreg",
    "xxsubtype",
    "zlib",
}
"""What python3X.dll has built in (PC/config.c)."""
