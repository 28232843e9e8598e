"""The CPython that package indexes carry for Windows and macOS.

panda3d's wheels hold python.org's own build of 3.11 for applications that are made with it: the
library and the C modules. What they lack is added: the library in source and the headers from
Debian's source package, the C++ runtime of Microsoft that the libraries want, and python3.dll, by
which modules for every Python 3 find the one that is there.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable

from shipping import debian_source, dll, macho
from shipping.interpreter import Interpreter, version_in
from shipping.standalone import ALWAYS_BUILTIN, WINDOWS_BUILTIN
from shipping.targets import Target
from shipping.tools import cached, pip, run

PANDA = "panda3d==1.10.16"
MSVC = "msvc-runtime==14.44.35112"
NATIVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "native")
ORIGIN = f"python.org's CPython 3.11 from the wheel of {PANDA}"


def interpreter(target: Target) -> Interpreter:
    """Return the interpreter for Windows or macOS."""
    make = _windows if target.system == "win32" else _darwin
    return make(target)


def _windows(target: Target) -> Interpreter:
    def fill(folder: str) -> None:
        _unpack(target, PANDA, folder, lambda entry: _wanted_of_panda(entry, ".pyd"))
        _unpack(target, MSVC, folder, lambda entry: "/vcruntime140" in entry.lower())
        python = os.path.join(folder, "python311.dll")
        dll.import_library(python, folder)
        dll.forwarder(python, os.path.join(folder, "python3.dll"), target.zig)

    place = cached("windows", PANDA, MSVC, str(os.path.getsize(dll.__file__)), make=fill)
    source = os.path.join(debian_source.CPYTHON.fetched(), "python3.11")
    libraries = {name.lower(): os.path.join(place, name) for name in os.listdir(place)}
    beside = ("python311.dll", "python3.dll", "vcruntime140.dll", "vcruntime140_1.dll")
    return Interpreter(
        version=version_in(os.path.join(source, "Include")),
        origin=f"{ORIGIN}; vcruntime140 from {MSVC}",
        stdlib=os.path.join(source, "Lib"),
        headers=(os.path.join(source, "PC"), os.path.join(source, "Include")),
        link=(os.path.join(place, "python311.dll.lib"),),
        builtin=WINDOWS_BUILTIN,
        extensions={
            name.removesuffix(".pyd"): path
            for name, path in libraries.items()
            if name.endswith(".pyd")
        },
        files={
            **{name: libraries[name] for name in beside},
            "lib/dynload/libffi-8.dll": libraries["libffi-8.dll"],
        },
        licences=_licences(source),
    )


def _darwin(target: Target) -> Interpreter:
    def fill(folder: str) -> None:
        _unpack(target, PANDA, folder, lambda entry: _wanted_of_panda(entry, "darwin.so"))
        for name in os.listdir(folder):
            macho.thin(os.path.join(folder, name), target.machine)

    place = cached(f"darwin-{target.machine}", PANDA, make=fill)
    source = os.path.join(debian_source.CPYTHON.fetched(), "python3.11")
    names = sorted(os.listdir(place))
    library = "libpython3.11.dylib"
    return Interpreter(
        version=version_in(os.path.join(source, "Include")),
        origin=ORIGIN,
        stdlib=os.path.join(source, "Lib"),
        headers=(os.path.join(NATIVE, "darwin"), os.path.join(source, "Include")),
        link=(os.path.join(NATIVE, "darwin", f"{library}.tbd"),),
        builtin=ALWAYS_BUILTIN,
        extensions={
            name.partition(".")[0]: os.path.join(place, name)
            for name in names
            if name.endswith(".so")
        },
        files={f"lib/{library}": os.path.join(place, library)},
        licences=_licences(source),
    )


def _wanted_of_panda(entry: str, ending: str) -> bool:
    folder, _, name = entry.rpartition("/")
    library = name in ("python311.dll", "libffi-8.dll", "libpython3.11.dylib")
    left_out = ("_test", "_ctypes_test", "xx", "_tkinter", "_sqlite3", "_ssl", "_hashlib")
    module = name.endswith(ending) and not name.startswith(left_out)
    return folder == "deploy_libs" and (library or module)


def _unpack(target: Target, package: str, folder: str, wanted: Callable[[str], bool]) -> None:
    """Put files of a package's wheel into the folder, by their names."""
    downloads = os.path.join(folder, "downloads")
    places = [word for place in target.wheels for word in ("--platform", place)]
    words = ("--no-deps", "--only-binary=:all:", "--python-version", "3.11", "--implementation")
    run(*pip(), "download", *words, "cp", *places, "--dest", downloads, package)
    for wheel in os.listdir(downloads):
        with zipfile.ZipFile(os.path.join(downloads, wheel)) as archive:
            for entry in archive.namelist():
                if wanted(entry):
                    with open(os.path.join(folder, os.path.basename(entry)), "wb") as file:
                        file.write(archive.read(entry))
    shutil.rmtree(downloads)


def _licences(source: str) -> dict[str, str]:
    return {
        "CPython": os.path.join(source, "LICENSE"),
        "libmpdec, expat and others in CPython": os.path.join(source, "Doc", "license.rst"),
    }
