"""A CPython for Linux, built from Debian's source with a compiler from the package index.

Static: one program with all of the standard library's C modules that the product can import, so
that a start looks for none of them on disk. The compiler brings the symbols of an old GNU libc, so
the program runs on systems older than the one that builds it, and it builds for other processors.
"""

from __future__ import annotations

import os
import shutil
import sys

from shipping import debian_source, profiling
from shipping.cpython_modules import SETUP
from shipping.interpreter import Interpreter, version_in
from shipping.targets import Target
from shipping.tools import ZIG, CannotBuild, cache, cached, cached_path, run, zig, zig_environment

GNU = {"x86_64": "x86_64-pc-linux-gnu", "aarch64": "aarch64-linux-gnu"}
ZLIB = (
    "adler32 crc32 deflate infback inffast inflate inftrees trees zutil compress uncompr gzclose \
gzlib gzread gzwrite"
)
CONFIGURE = (
    "--prefix=/",
    "--disable-shared",
    "--without-ensurepip",
    "--without-doc-strings",
    "--disable-test-modules",
    "--without-readline",
    "--with-system-ffi",
)
DATE = ("BUILD_DATE=Jan  1 2026", "BUILD_TIME=00:00:00")
"""What the interpreter says of its own build: two builds are the same bytes."""
WHERE_SOURCE = "--eval=Modules/getpath.o: private VPATH ="
"""The interpreter keeps where its source lay, for runs in the folder where it was built.

One such run is a step of the build. Told for that one object, from that folder on, it is the same
for every cache; make itself finds the sources by the variable as configure has set it.
"""
FLAGS = "-g0 -O3"
LINKED = ("-lm", "-ldl", "-lpthread", "-lrt", "-lutil", "-Wl,-export-dynamic")
"""What a program of the folder is linked with, behind the libraries of the build."""
JOBS = f"-j{os.cpu_count() or 1}"


def build(target: Target, profile: tuple[str, ...] | None = None) -> Interpreter:
    """Return the interpreter for a Linux target, from the cache if it was built before.

    ``profile`` are the compiler's flags that make or use one; None: those of releases. Raises
    CannotBuild, also for a cache whose path has a blank.
    """
    _refuse_blanks(cache())
    source = debian_source.CPYTHON.fetched()
    flags = profiling.using() if profile is None else profile

    def make(folder: str) -> None:
        print(f"building CPython for {target.name}: some minutes, once", file=sys.stderr)
        _Build(target, source, folder).everything(SETUP, flags)

    place = cached(*_key(target, source, flags), make=make)
    python = os.path.join(source, "python3.11")
    version = debian_source.version(source, "python3.11")
    with open(os.path.join(place, "builtin.txt"), encoding="utf-8") as file:
        builtin = frozenset(file.read().split())
    return Interpreter(
        version=version_in(os.path.join(python, "Include")),
        origin=f"CPython from Debian's source package python3.11 {version}, compiled by {ZIG}"
        f" for glibc {target.zig.rpartition('gnu.')[2]}"
        f"{', optimised by a profile of bundlevisor' if profile is None else ''}",
        stdlib=os.path.join(python, "Lib"),
        headers=(os.path.join(python, "Include"), os.path.join(place, "include")),
        link=(*_libraries(place), *LINKED),
        builtin=builtin,
        licences=_licences(source),
    )


def _libraries(place: str) -> list[str]:
    return sorted(os.path.join(place, "lib", name) for name in os.listdir(f"{place}/lib"))


def _licences(source: str) -> dict[str, str]:
    python = os.path.join(source, "python3.11")
    return {
        "CPython": os.path.join(python, "LICENSE"),
        "zlib": os.path.join(source, "zlib", "README"),
        "libffi": os.path.join(source, "libffi", "LICENSE"),
        "libmpdec, expat and others in CPython": os.path.join(python, "Doc", "license.rst"),
    }


def _refuse_blanks(path: str) -> None:
    """Raise CannotBuild for a path that CPython's configure and make would cut in two."""
    if len(path.split()) > 1:
        raise CannotBuild(
            f"CPython cannot be built in '{path}', as its path has a blank; set XDG_CACHE_HOME to"
            " a folder whose path has none"
        )


def is_built(target: Target) -> bool:
    """Return whether the interpreter is in the cache."""
    source = debian_source.CPYTHON.at_hand()
    if source is None:
        return False
    return os.path.isdir(cached_path(*_key(target, source, profiling.using())))


def _key(target: Target, source: str, profile: tuple[str, ...]) -> tuple[str, ...]:
    versions = debian_source.CPYTHON.versions(source)
    return (
        f"cpython-{target.name}",
        target.zig,
        ZIG,
        *versions,
        SETUP,
        *CONFIGURE,
        WHERE_SOURCE,
        FLAGS,
        *profile,
    )


class _Build:
    """One build, in one folder."""

    def __init__(self, target: Target, source: str, folder: str) -> None:
        self._source, self._folder = source, folder
        self._work = os.path.join(folder, "work")
        self._log = os.path.join(folder, "log.txt")
        self._host = GNU[target.machine]
        for name in ("work", "lib", "include", "bin"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        compiler = f"exec '{zig()}'"
        self._tools = {
            "CC": self._script("cc", f"{compiler} cc -target {target.zig}"),
            "CXX": os.path.join(folder, "bin", "cc"),  # nothing is C++; its library takes minutes
            "AR": self._script("ar", f"{compiler} ar"),
            "READELF": shutil.which("readelf") or shutil.which("llvm-readelf") or "/bin/false",
            "RANLIB": self._script("ranlib", f"{compiler} ranlib"),
        }

    def everything(self, setup: str, profile: tuple[str, ...]) -> None:
        """Build the libraries and the interpreter; what is needed later stays in the folder."""
        self._zlib()
        self._ffi()
        self._python(setup, profile)
        shutil.rmtree(self._work)

    def _script(self, name: str, command: str) -> str:
        path = os.path.join(self._folder, "bin", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\n{command} "$@"\n')
        os.chmod(path, 0o755)
        return path

    def _run(self, *command: str, cwd: str) -> None:
        environment = {**self._tools, **zig_environment()}
        run(*command, cwd=cwd, env=environment, log=self._log)

    def _zlib(self) -> None:
        work = os.path.join(self._work, "zlib")
        shutil.copytree(os.path.join(self._source, "zlib"), work)
        names = ZLIB.split()
        flags = ("-O2", "-DHAVE_UNISTD_H", "-D_LARGEFILE64_SOURCE=1", "-w")
        for name in names:
            self._run(self._tools["CC"], *flags, "-c", f"{name}.c", "-o", f"{name}.o", cwd=work)
        library = os.path.join(self._folder, "lib", "libz.a")
        self._run(self._tools["AR"], "rcs", library, *(f"{name}.o" for name in names), cwd=work)
        for name in ("zlib.h", "zconf.h"):
            shutil.copy(os.path.join(work, name), os.path.join(self._folder, "include"))

    def _ffi(self) -> None:
        work = os.path.join(self._work, "libffi")
        os.makedirs(work)
        installed = os.path.join(self._work, "libffi-installed")
        self._run(
            os.path.join(self._source, "libffi", "configure"),
            f"--host={self._host}",
            f"--build={GNU['x86_64']}",
            "--disable-shared",
            "--enable-static",
            "--disable-docs",
            "--disable-multi-os-directory",
            "--disable-exec-static-tramp",
            f"--prefix={installed}",
            "CFLAGS=-O2 -w",
            cwd=work,
        )
        self._run("make", JOBS, "install", cwd=work)
        shutil.copy(os.path.join(installed, "lib", "libffi.a"), os.path.join(self._folder, "lib"))
        for name in ("ffi.h", "ffitarget.h"):
            shutil.copy(os.path.join(installed, "include", name), f"{self._folder}/include")

    def _python(self, setup: str, profile: tuple[str, ...]) -> None:
        work, source = os.path.join(self._work, "python"), os.path.join(self._source, "python3.11")
        os.makedirs(os.path.join(work, "Modules"))
        with open(os.path.join(work, "Modules", "Setup.local"), "w", encoding="utf-8") as file:
            file.write(setup)
        include, library = f"{self._folder}/include", f"{self._folder}/lib"
        self._run(
            os.path.join(source, "configure"),
            *CONFIGURE,
            *self._cross(),
            f"CFLAGS={FLAGS} -w -I{include} -ffile-prefix-map={source}=.",
            f"LDFLAGS=-L{library}",
            cwd=work,
        )
        # The Makefile's own rule runs in a make that has read no Makefile yet.
        self._run(
            os.path.join(source, "Modules", "makesetup"),
            "-c",
            f"{source}/Modules/config.c.in",
            "-s",
            "Modules",
            "-m",
            "Makefile.pre",
            "Modules/Setup.local",
            "Modules/Setup.bootstrap",
            f"{source}/Modules/Setup",
            cwd=work,
        )
        extra = f"EXTRA_CFLAGS={' '.join(profile)}"
        where = f"{WHERE_SOURCE} {os.path.relpath(source, work)}"
        self._run("make", JOBS, "libpython3.11.a", where, *DATE, extra, cwd=work)
        shutil.copy(os.path.join(work, "libpython3.11.a"), library)
        shutil.copy(os.path.join(work, "pyconfig.h"), include)
        self._note_builtin(os.path.join(work, "Modules", "config.c"), work)

    def _cross(self) -> list[str]:
        if self._host == GNU["x86_64"]:
            return []
        python = shutil.which("python3.11")
        if python is None:
            raise CannotBuild("building for another processor needs a python3.11 on PATH")
        answers = (
            "ac_cv_file__dev_ptmx=yes",
            "ac_cv_file__dev_ptc=no",
            "ac_cv_buggy_getaddrinfo=no",
        )
        return [
            f"--build={GNU['x86_64']}",
            f"--host={self._host}",
            f"--with-build-python={python}",
            *answers,
        ]

    def _note_builtin(self, config: str, work: str) -> None:
        path = config if os.path.exists(config) else os.path.join(work, "config.c")
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
        names = {line.split('"')[1] for line in lines if line.startswith('{"')}
        with open(os.path.join(self._folder, "builtin.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(sorted(names)) + "\n")
