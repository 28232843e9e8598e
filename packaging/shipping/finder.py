"""Finds every module of the folder in one file of bytecode; frozen into the folder's interpreter.

A start from ordinary files makes thousands of calls to look for modules on a path and to compare
times; here it is one dictionary and one read per module. The file is written by bytecode.py::

    8 bytes   MAGIC, then 4 bytes of the interpreter's bytecode version
    4 + 4     offset and length of the index, little-endian
    ...       per module: its mark (4 bytes), then its code object, marshalled, and packed by zlib
              where nothing that is waited for imports it
    index     marshal of {name: (kind, offset or path, length)}

The file stays open, so modules are found although the folder is moved, renamed or replaced by an
update while the runtime runs. A descriptor can be closed, and its number used again, behind our
back (the guardian closes all that it inherits): what does not bear the module's mark is read again
from a file that is opened anew.

Nothing may be imported here but what is built into the interpreter.
"""

from __future__ import annotations

import _frozen_importlib_external as external
import marshal
import sys
from _frozen_importlib import ModuleSpec

if sys.platform == "win32":
    import nt as system
else:
    import posix as system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

MAGIC = b"BVMODULE"
HEADER = 20
MARK = 4
MODULE, PACKAGE, EXTENSION = range(3)
"""The kinds of index entries; an extension module's is ``(EXTENSION, path, 0)``."""
PACKED = 4
"""Added to the kind of a module whose code is packed."""
NAME = "modules.bin"
CLOSED_ON_EXEC = getattr(system, "O_CLOEXEC", 0) | getattr(system, "O_NOINHERIT", 0)
BINARY = getattr(system, "O_BINARY", 0)
LAST_STANDARD_STREAM = 2
"""Up to here a descriptor that a shell has closed is free, and no place for a file of ours."""
UNSEEN = external._bootstrap._call_with_frames_removed  # type: ignore[attr-defined]
"""Calls a function so that the traces of exceptions do not show the import system."""


class BytecodeFile:
    """A file of bytecode that is open; OSError and ImportError say that it cannot be used."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = self._open()
        header = self._read(0, HEADER)
        if header[:8] != MAGIC or header[8:12] != external.MAGIC_NUMBER:
            raise ImportError("it is not of this interpreter's version")
        start, length = (int.from_bytes(header[i : i + 4], "little") for i in (12, 16))
        self.index: dict[str, tuple[int, int | str, int]] = marshal.loads(self._read(start, length))

    def code(self, name: str) -> CodeType:
        """Return the code of a module that stands in the index."""
        kind, offset, length = self.index[name]
        assert isinstance(offset, int)
        mark = mark_of(name)
        for _ in range(2):
            try:
                content = self._read(offset, MARK + length)
            except OSError:
                content = b""
            if content[:MARK] == mark and len(content) == MARK + length:
                code: CodeType = marshal.loads(_plain(content[MARK:], kind))
                return code
            self._fd = self._open()
        raise ImportError(f"{self.path} has changed; restart the runtime", name=name)

    def is_package(self, name: str) -> bool:
        """Return whether a module of the index is a package."""
        return self.index[name][0] & ~PACKED == PACKAGE

    def _open(self) -> int:
        fd = system.open(self.path, system.O_RDONLY | CLOSED_ON_EXEC | BINARY)
        if fd > LAST_STANDARD_STREAM:
            return fd
        try:
            return self._open()
        finally:
            system.close(fd)

    if sys.platform == "win32":

        def _read(self, offset: int, length: int) -> bytes:
            with LOCK:
                system.lseek(self._fd, offset, 0)
                return system.read(self._fd, length)

    else:

        def _read(self, offset: int, length: int) -> bytes:
            return system.pread(self._fd, length, offset)


if sys.platform == "win32":
    import _thread

    LOCK = _thread.allocate_lock()


class Finder:
    """The finder and loader of all modules in a file of bytecode."""

    def __init__(self, library: str, file: BytecodeFile) -> None:
        self._library = library
        self._file = file

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module comes from, or None for a module that is not in the file."""
        found = self._file.index.get(name)
        if found is None:
            return None
        kind, place, _ = found
        if kind == EXTENSION:
            origin = f"{self._place()}/{place}"
            native = external.ExtensionFileLoader(name, origin)
            return external.spec_from_file_location(name, origin, loader=native)
        loader: Any = self
        package = self.is_package(name)
        spec = ModuleSpec(name, loader, origin=self.get_filename(name), is_package=package)
        if package:
            spec.submodule_search_locations = [f"{self._library}/{name.replace('.', '/')}"]
        spec.has_location = True
        return spec

    if sys.platform == "linux":

        def _place(self) -> str:
            """Return where the folder is now: not where another one has been put meanwhile."""
            return system.readlink("/proc/self/exe").rpartition("/")[0]

    else:

        def _place(self) -> str:
            return self._library

    def stay_open(self) -> None:
        """Have the file open from now on, though an update removes it: open it again if need be.

        And what unpacks is loaded, which is a file of its own in some interpreters.
        """
        import zlib  # noqa: F401

        modules = (name for name, (kind, _, _) in self._file.index.items() if kind != EXTENSION)
        self._file.code(next(modules))

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        UNSEEN(exec, self._file.code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        """Return the module's code, for ``python -m``."""
        return self._file.code(name)

    def get_source(self, name: str) -> str | None:
        """Say that there is no source text; traces of exceptions show line numbers only."""

    def is_package(self, name: str) -> bool:
        """Return whether the module is a package."""
        return self._file.is_package(name)

    def get_filename(self, name: str) -> str:
        """Return where the module's source would lie; it shows in traces."""
        inside = "/__init__.py" if self.is_package(name) else ".py"
        return f"{self._library}/{name.replace('.', '/')}{inside}"


def _plain(content: bytes, kind: int) -> bytes:
    if kind & PACKED:
        import zlib

        return zlib.decompress(content)
    return content


def mark_of(name: str) -> bytes:
    """Return what stands before a module's code."""
    mark = 0
    for byte in name.encode():
        mark = (mark * 31 + byte) & 0xFFFFFFFF
    return mark.to_bytes(4, "little")


role = ""
"""The path of the program of ours that was started; empty in a plain interpreter."""


def install(library: str, role_path: str) -> None:
    """Find modules in the folder from now on; called by interpreter.c before anything else.

    Behind the finders of what is built in and frozen, which cost less, and before the one that
    looks at folders. SystemExit says in a sentence that the file cannot be used.
    """
    global role  # noqa: PLW0603 - set once, before there is a thread
    role = role_path
    separator = "\\" if sys.platform == "win32" else "/"
    path = f"{library}{separator}{NAME}"
    try:
        file = BytecodeFile(path)
    except (OSError, ImportError, EOFError, ValueError, TypeError) as error:
        why = f"runtime: cannot use {path}: {error}; the folder is incomplete, install it again"
        raise SystemExit(why) from None
    sys.meta_path.insert(2, Finder(library, file))


def run() -> None:
    """Run the program that was started; called by interpreter.c."""
    roles = __import__("folder_roles").ROLES  # written by assembly.py
    name = role.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    module, function = roles[name]
    sys.argv[0] = role
    sys.exit(getattr(__import__(module, fromlist=[function]), function)())
