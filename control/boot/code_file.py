"""One file with the bytecode of all that a start imports, instead of several hundred.

To find a module on a path, and to read its ``.pyc`` file, takes some ten system calls; here it is
one to see that the source is the one that was compiled, and one to read. A shipped folder has such
a file of its own (docs/shipping.md). For an installed package, and for a checkout, the first start
makes it (:mod:`bundlevisor.control.run.code_gathering`), and it lies beside the code like Python's
own bytecode, in ``__pycache__``: whoever removes, replaces or moves the code does the same with it,
it is trusted no more and no less than the code, and where nobody may write there is none.

It has the name of the bytecode of ``start_code.py``, an empty module that nobody imports: so those
who remove an installed package remove it too, as they know which bytecode belongs to a source. It
also begins with that bytecode, so that who compiles all sources (compileall), or imports the module
after all, finds it up to date and leaves it.

A module is taken from it only if its source is unchanged: size, time of the last write (in
nanoseconds) and, on POSIX, time of the last change of any kind, which nobody can set back, must be
what they were. Nothing at all is taken where modules are looked for in other places than those for
which it was made. What is not taken from it is imported as ever.

It has, besides, what the runtime and its guardians may import when the start is over; they keep the
file open for that (control/run/kept_modules.py), and need not look into several hundred others.

Its parts: the .pyc file of an empty module (512 bytes, the version of bytecode first), MAGIC, the
file's own number (8, by chance), offset and length of the index (8 + 8, little endian), then the
code of the modules, with the file's number before each, and three more parts: the entries of
modules that no start imports, the index of KeptCode, and the index: the marshalled tuple of
sys.path, {name: marshalled entry} of those that a start imports, where the other two lie, and the
runs of :mod:`.straight_import`. Nothing is imported here but what is built in.
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
    Place = tuple[int, int]
    """Offset and length."""
    Run = tuple[str, ...]
    """Modules, each behind all of the run that it imports."""

external: Any = sys.modules["_frozen_importlib_external"]  # what importlib.machinery is made of
bootstrap: Any = sys.modules["_frozen_importlib"]

NAMESAKE = f"{__name__.rpartition('.')[0]}.start_code"
"""Whose bytecode's name it has."""
PYC = 512
"""Bytes that the bytecode of the empty module has at most."""
MAGIC = b"BVSTART5"
"""Another one for each change of what the parts of the file are."""
NUMBER = 8
"""Bytes of the file's own number."""
HEADER = PYC + len(MAGIC) + NUMBER + 16
MODULE, PACKAGE, MACHINE_CODE = range(3)
"""The kinds of entries."""


def path() -> str:
    """Return where the file lies, or would."""
    found: str = external.cache_from_source(namesake())
    return found


def namesake() -> str:
    """Return the path of the source as whose bytecode it passes."""
    return os.path.join(os.path.dirname(__file__), f"{NAMESAKE.rpartition('.')[2]}.py")


def stamp(source: str) -> Stamp:
    """Return what changes with a file; OSError when it is not there."""
    found = os.stat(source)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_as_it_was(entry: Entry) -> bool:
    """Whether the source of a module is the one that was compiled."""
    try:
        return stamp(entry[1]) == entry[2]
    except OSError:
        return False


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
    finders.insert(0, finder)  # it has nothing of what is built in or frozen: these cost more


def forget() -> None:
    """Find nothing in it any more: what it has is kept in another way by now."""
    if Use.finder is not None:
        Use.finder.entries, Use.finder.runs = {}, {}


class CodeFinder:
    """Finds what is in a file of bytecode; raises OSError or ValueError for what is none."""

    def __init__(self, path: str, fd: int = -1) -> None:
        """``fd``: a descriptor of it that may be kept, where it may be gone from its path."""
        self._path = path
        self.fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)) if fd < 0 else fd
        header = self._read(0, HEADER)
        self._number = header[-16 - NUMBER : -16]
        ours = header.startswith(external.MAGIC_NUMBER) and header.startswith(MAGIC, PYC)
        if not ours or len(header) != HEADER:
            raise ValueError(path)
        place = int.from_bytes(header[-16:], "little")
        self.places: list[str]
        self.entries: dict[str, bytes]
        """Still marshalled: many are never asked for."""
        self._others_at: Place
        self.kept_at: Place
        self.runs: dict[str, Run]
        """By the last module of each: who divides a start otherwise finds none."""
        self.places, self.entries, self._others_at, self.kept_at, self.runs = self._marshalled(
            (place & 0xFFFFFFFFFFFFFFFF, place >> 64)
        )

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module comes from if it is here and as it was."""
        entry = self.entry(name)
        if entry is None:
            return None
        kind, source, _, offset, length = entry
        if kind == MACHINE_CODE:
            loader = external.ExtensionFileLoader(name, source)
            found: ModuleSpec = external.spec_from_file_location(name, source, loader=loader)
            return found
        try:
            code = self.code(offset, length)
        except OSError:
            return None
        return self.spec(name, source, code, is_package=kind == PACKAGE)

    def entry(self, name: str) -> Entry | None:
        """Return the entry of a module that is here and as it was."""
        packed = self.entries.get(name)
        if packed is None:
            return None
        entry: Entry = marshal.loads(packed)  # noqa: S302 - as a .pyc
        return entry if is_as_it_was(entry) else None

    def spec(self, name: str, source: str, code: bytes, *, is_package: bool) -> ModuleSpec:
        """Return the specification of a module with this bytecode."""
        loader = CodeLoader(name, source, code)
        spec: Any = bootstrap.ModuleSpec(name, loader, origin=source, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        spec.has_location = True
        spec.cached = self._path
        return spec  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the file: nothing is had from it any more."""
        self.entries, self.runs = {}, {}
        fd, self.fd = self.fd, -1
        os.close(fd)

    def others(self) -> dict[str, Entry]:
        """Return the entries of what no start imports."""
        found: dict[str, Entry] = self._marshalled(self._others_at)
        return found

    def _marshalled(self, place: Place) -> Any:
        return marshal.loads(self._read(*place))  # noqa: S302 - as a .pyc

    def code(self, offset: int, length: int) -> bytes:
        """Return bytecode; a descriptor that was closed behind our back is opened anew, once.

        OSError where the file is another one by now: nothing is had from it any more.
        """
        for _ in range(2):
            try:
                content = self._read(offset - NUMBER, NUMBER + length)
            except OSError:
                content = b""
            if content[:NUMBER] == self._number and len(content) == NUMBER + length:
                return content[NUMBER:]
            self.fd = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.entries = {}
        raise OSError(self._path)

    if sys.platform == "win32":

        def _read(self, offset: int, length: int) -> bytes:
            with LOCK:
                os.lseek(self.fd, offset, os.SEEK_SET)
                return os.read(self.fd, length)

    else:

        def _read(self, offset: int, length: int) -> bytes:
            return os.pread(self.fd, length, offset)


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
