"""RE2, the engine of all patterns, built so that it wants nothing of the system but libc.

The wheels of google-re2 for Linux want the system's C++ library, which a system without a compiler
or a browser need not have; macOS has one, and the wheel for Windows brings it. Here the library,
what it needs of Abseil and its Python module are compiled from Debian's sources into one file, with
the compiler's own C++ library in it. The Python side (``re2/__init__.py``) is the wheel's.
"""

from __future__ import annotations

import glob
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from shipping import debian_source
from shipping.interpreter import Interpreter
from shipping.targets import Target
from shipping.tools import ZIG, cached, cached_path, neutral_paths, pip, run, zig, zig_environment

NAME = "re2._re2"
"""The extension module that is replaced."""
PYBIND = "pybind11==3.1.0"
"""The headers of which google-re2's module is made."""
ABSEIL = (
    "base",
    "container/internal",
    "debugging",
    "hash",
    "log",
    "numeric",
    "strings",
    "synchronization",
    "time",
)
"""The parts of Abseil that RE2 reaches; what of them is not used, the linker leaves out."""
NO_PART = ("test", "benchmark", "mock", "print_hash", "log/flags.cc")
"""Files of these names are Abseil's own tests, or want its command line."""
FLAGS = (
    *("-std=c++17", "-Os", "-g0", "-DNDEBUG", "-w"),
    *("-fvisibility=hidden", "-fvisibility-inlines-hidden"),
    *("-ffunction-sections", "-fdata-sections", "-fPIC"),
)


def is_for(target: Target) -> bool:
    """Return whether the folder for a target gets this build, and not the wheel's."""
    return target.system == "linux"


def is_built(target: Target) -> bool:
    """Return whether the library is in the cache."""
    source = debian_source.RE2.at_hand()
    return source is not None and os.path.isdir(cached_path(*_key(target, source)))


def module(target: Target, interpreter: Interpreter, name: str) -> str:
    """Return the path of the extension module for an interpreter; ``name`` is the file's."""
    source = debian_source.RE2.fetched()
    library = cached(*_key(target, source), make=lambda folder: _library(target, source, folder))
    headers = cached("pybind11", PYBIND, make=_headers)
    words = [f"-I{place}" for place in _includes(source)]
    words += [f"-I{place}" for place in (f"{headers}/pybind11/include", *interpreter.headers)]
    words += [os.path.join(source, "re2", "python", "_re2.cc"), f"{library}/libre2.a"]
    gone = ("-s", "-shared", "-Wl,--gc-sections")

    def link(folder: str) -> None:
        _compile(target, *gone, *words, "-o", os.path.join(folder, name))

    minor = f"{interpreter.minor[0]}.{interpreter.minor[1]}"
    made = cached(f"re2-{target.name}-{minor}", *_key(target, source), PYBIND, name, make=link)
    return os.path.join(made, name)


def licences() -> dict[str, list[str]]:
    """Return the texts of what is in the module, beside the wheel's own."""
    source = debian_source.RE2.fetched()
    headers = cached("pybind11", PYBIND, make=_headers)
    compiler = os.path.dirname(zig())
    return {
        "abseil": [os.path.join(source, "abseil", "LICENSE")],
        "pybind11": glob.glob(f"{headers}/*.dist-info/**/LICENSE", recursive=True),
        "LLVM's C++ library": [os.path.join(compiler, "lib", "libcxx", "LICENSE.TXT")],
    }


def origin() -> str:
    """Return a sentence for the folder's list of files."""
    versions = debian_source.RE2.versions(debian_source.RE2.fetched())
    return f"RE2 {versions[0]} and Abseil {versions[1]} of Debian, compiled by {ZIG}"


def _key(target: Target, source: str) -> tuple[str, ...]:
    words = (*FLAGS, neutral_paths(), *ABSEIL, *NO_PART)
    return f"re2-{target.name}", target.zig, ZIG, *debian_source.RE2.versions(source), *words


def _includes(source: str) -> tuple[str, str]:
    return os.path.join(source, "abseil"), os.path.join(source, "re2")


def _library(target: Target, source: str, folder: str) -> None:
    print(f"building RE2 for {target.name}: a minute or two, once", file=sys.stderr)
    abseil, re2 = _includes(source)
    files = [path for part in ABSEIL for path in _sources(f"{abseil}/absl/{part}", abseil)]
    files += [*glob.glob(f"{re2}/re2/*.cc"), f"{re2}/util/rune.cc", f"{re2}/util/strutil.cc"]
    words = ("-I", abseil, "-I", re2, "-c")
    objects = [os.path.join(folder, f"{number}.o") for number in range(len(files))]

    def one(path: str, made: str) -> None:
        _compile(target, *words, path, "-o", made)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, sorted(files), objects))
    run(zig(), "ar", "rcs", os.path.join(folder, "libre2.a"), *objects, env=zig_environment())
    for path in objects:
        os.remove(path)


def _sources(place: str, abseil: str) -> list[str]:
    found = glob.glob(f"{place}/**/*.cc", recursive=True)
    return [p for p in found if not any(word in os.path.relpath(p, abseil) for word in NO_PART)]


def _compile(target: Target, *words: str) -> None:
    flags = (*FLAGS, neutral_paths())
    run(zig(), "c++", "-target", target.zig, *flags, *words, env=zig_environment())


def _headers(folder: str) -> None:
    run(*pip(), "install", "--no-deps", "--target", folder, PYBIND)
