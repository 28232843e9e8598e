"""One file with the bytecode of all that a start imports, instead of several hundred.

To find a module on a path, and to read its ``.pyc`` file, takes some ten system calls; here it is
one to see that the source is the one that was compiled, and one to read. A shipped folder has such
a file of its own (docs/shipping.md). For an installed package, and for a checkout, the first start
makes it (:mod:`bundlevisor.control.run.code_gathering`), and it lies beside the code like Python's
own bytecode, in ``__pycache__``: whoever removes, replaces or moves the code does the same with it,
it is trusted no more and no less than the code, and where nobody may write there is none.

It has the name of the bytecode of ``start_code.py``, an empty module that nobody imports: so those
who remove an installed package remove it too, as they know which bytecode belongs to a source.

Never is a module taken from it whose source has changed: size, time of the last write (in
nanoseconds) and, on POSIX, time of the last change of any kind, which nobody can set back, must be
what they were. Nor anything at all where modules are looked for in other places than those for
which it was made. What is not taken from it is imported as ever.

Its parts: MAGIC, version of bytecode (4 bytes), its own number (8, by chance), offset and length
of the index (8 + 8, little endian), then each module's code with its mark (4 bytes) before it, then
the index: the marshalled pair of sys.path and {name: entry}. Nothing is imported here but what is
built in.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

    Stamp = tuple[int, int, int]
    Entry = tuple[int, str, Stamp, int, int]
    """Kind; path of the source, or of the machine code; its stamp; offset and length."""

external: Any = sys.modules["_frozen_importlib_external"]  # what importlib.machinery is made of
bootstrap: Any = sys.modules["_frozen_importlib"]

NAMESAKE = f"{__name__.rpartition('.')[0]}.start_code"
"""Whose bytecode's name it has; imported, it would take its place."""
MAGIC = b"BVSTART1"
HEADER = len(MAGIC) + 4 + 8 + 16
MARK = 4
MODULE, PACKAGE, MACHINE_CODE = range(3)
"""The kinds of entries."""
BEHIND = 2
"""The place of the finder: behind those of what is built in and frozen, before that of paths."""


def path() -> str:
    """Return where the file lies, or would."""
    source = os.path.join(os.path.dirname(__file__), f"{NAMESAKE.rpartition('.')[2]}.py")
    found: str = external.cache_from_source(source)
    return found


def stamp(source: str) -> Stamp:
    """Return what changes with a file; OSError when it is not there."""
    found = os.stat(source)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def mark(name: str) -> bytes:
    """Return what stands before a module's code."""
    value = 0
    for byte in name.encode():
        value = (value * 31 + byte) & 0xFFFFFFFF
    return value.to_bytes(MARK, "little")


class Use:
    """What of the file this process uses."""

    finder: CodeFinder | None = None
    before: frozenset[str] = frozenset()
    """The modules that were imported before; they are of no use in the file."""


def use() -> None:
    """Import from the file from now on, where there is one for this Python and these paths.

    Not before the standard streams are open: its descriptor would be one of them.
    """
    Use.before = frozenset(sys.modules)
    spec: Any = __spec__
    if type(spec.loader) is not external.SourceFileLoader:
        return  # a shipped folder, or some other archive
    try:
        finder = CodeFinder(path())
    except (OSError, ValueError, EOFError, TypeError):
        return
    if finder.places != sys.path:
        finder.close()
        return
    Use.finder = finder
    finders: list[Any] = sys.meta_path
    finders.insert(BEHIND, finder)


class CodeFinder:
    """Finds what is in a file of bytecode; raises OSError or ValueError for what is none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._header = self._read(0, HEADER)
        if not self._header.startswith(MAGIC + external.MAGIC_NUMBER):
            raise ValueError(path)
        place = int.from_bytes(self._header[-16:], "little")
        at, length = place & 0xFFFFFFFFFFFFFFFF, place >> 64
        self.places: list[str]
        self.entries: dict[str, Entry]
        self.places, self.entries = marshal.loads(self._read(at, length))  # noqa: S302 - as a .pyc

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module comes from if it is here and as it was."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        kind, source, then, offset, length = entry
        try:
            if stamp(source) != then:
                return None
            if kind == MACHINE_CODE:
                loader = external.ExtensionFileLoader(name, source)
                found: ModuleSpec = external.spec_from_file_location(name, source, loader=loader)
                return found
            code = self._code(name, offset, length)
        except OSError:
            return None
        loader = CodeLoader(name, source, code)
        spec: Any = bootstrap.ModuleSpec(name, loader, origin=source, is_package=kind == PACKAGE)
        if kind == PACKAGE:
            spec.submodule_search_locations = [os.path.dirname(source)]
        spec.has_location = True
        spec.cached = self._path
        return spec  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the file: nothing is had from it any more."""
        self.entries = {}
        os.close(self._fd)

    def has(self, name: str) -> bool:
        """Whether the module is here, as it is now."""
        entry = self.entries.get(name)
        try:
            return entry is not None and stamp(entry[1]) == entry[2]
        except OSError:
            return False

    def _code(self, name: str, offset: int, length: int) -> bytes:
        """Return bytecode; a descriptor that was closed behind our back is opened anew, once."""
        for _ in range(2):
            try:
                content = self._read(offset, MARK + length)
            except OSError:
                content = b""
            if content[:MARK] == mark(name) and len(content) == MARK + length:
                return content[MARK:]
            self._open_again()
        raise OSError(self._path)

    def _open_again(self) -> None:
        self._fd = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        if self._read(0, HEADER) != self._header:
            self.entries = {}
            raise OSError(self._path)

    if sys.platform == "win32":

        def _read(self, offset: int, length: int) -> bytes:
            with LOCK:
                os.lseek(self._fd, offset, os.SEEK_SET)
                return os.read(self._fd, length)

    else:

        def _read(self, offset: int, length: int) -> bytes:
            return os.pread(self._fd, length, offset)


class CodeLoader(external.SourceFileLoader):  # type: ignore[misc]
    """The loader of a source, which has its bytecode already, for the first who asks."""

    def __init__(self, name: str, source: str, code: bytes) -> None:
        super().__init__(name, source)
        self._code: bytes | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code; what is no code is passed over, as if it were not there."""
        found: CodeType | None
        try:
            found = marshal.loads(self.take())  # noqa: S302 - as a .pyc
        except (ValueError, EOFError, TypeError):
            found = super().get_code(fullname)
        return found

    def take(self) -> bytes:
        """Return the bytecode, once; nothing from then on."""
        code, self._code = self._code, None
        return code or b""


if sys.platform == "win32":
    LOCK = __import__("_thread").allocate_lock()
