"""Putting code aside, so that it is there when the installed files are not: see kept_code."""

from __future__ import annotations

import marshal
import os
import sys

from bundlevisor.actors.guardian import kept_index
from bundlevisor.actors.guardian.kept_code import KeptCode, machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from importlib.machinery import ModuleSpec
    from typing import Any

    from bundlevisor.actors.guardian.kept_index import CodeSink, Entry

INSIDE = ("built-in", "frozen")
"""The origins of what the interpreter has within itself."""


def go_on() -> None:
    """The check of one whom nothing interrupts."""


class CodeCollection:
    """Writes code into a sink. Names that are not to be found are passed over: versions differ."""

    def __init__(self, sink: CodeSink, check: Callable[[], object] = go_on) -> None:
        """``check`` is called before each module, and may raise."""
        self.passed_over: Collection[str] = ()
        """Modules that are not put aside from now on."""
        self._sink = sink
        self._check = check
        self.entries: dict[str, Entry] = {}
        """What is put aside."""

    def add(self, names: Iterable[str]) -> None:
        """Put modules aside."""
        for name in names:
            self._add(name)

    def add_package(self, package: str, without: Collection[str] = ()) -> None:
        """Put a package aside with everything in it, but for these packages."""
        if package in without:
            return
        self._add(package)
        for folder in self._folders(package) or ():
            for name in names_in(folder):
                self.add_package(f"{package}.{name}", without)

    def finish(self) -> tuple[int, int]:
        """Write the index; return where it lies, for KeptCode."""
        return kept_index.write(self._sink, self.entries)

    def _add(self, name: str) -> None:
        if name in self.entries or name in self.passed_over:
            return
        self._check()
        parent = name.rpartition(".")[0]
        try:
            if parent:
                self._add(parent)
            spec = _found(name, self._folders(parent) if parent else None)
            if spec is None or spec.origin in INSIDE or hasattr(spec.loader, "stay_open"):
                return
            if spec.loader is None:  # a folder whose files were just removed
                return
            self.entries[name] = self._entry(spec)
        except (OSError, ImportError, SyntaxError, ValueError):
            return

    def _entry(self, spec: ModuleSpec) -> Entry:
        folders = spec.submodule_search_locations
        folders = None if folders is None else list(folders)
        if isinstance(spec.loader, machinery.ExtensionFileLoader):
            return str(spec.origin), folders, 0, 0
        code = bytecode(spec)
        return str(spec.origin), folders, self._sink.write(code), len(code)

    def _folders(self, package: str) -> list[str] | None:
        if package in self.entries:
            return self.entries[package][1]
        return getattr(sys.modules.get(package), "__path__", None)


def _found(name: str, folders: list[str] | None) -> ModuleSpec | None:
    """Return where the module comes from when it is not kept."""
    for finder in sys.meta_path:
        if not isinstance(finder, KeptCode):
            spec = finder.find_spec(name, folders)
            if spec is not None:
                return spec
    return None


def bytecode(spec: ModuleSpec) -> bytes:
    """Return marshalled code: of the .pyc file if it is that of the source, or by the loader."""
    loader: Any = spec.loader
    code: bytes = loader.take() if hasattr(loader, "take") else b""
    if code:  # it has come from a file of many, together with its bytecode
        return code
    if type(loader) is machinery.SourceFileLoader and spec.cached:
        try:
            with open(spec.cached, "rb") as file:
                data = file.read()
            found = os.stat(str(spec.origin))
        except OSError:
            data = b""
        else:
            expected = beginning(found)
            if data.startswith(expected):
                return data[len(expected) :]
    return marshal.dumps(loader.get_code(spec.name))


def beginning(source: os.stat_result) -> bytes:
    """Return the 16 bytes with which the .pyc file of a source begins (PEP 552)."""
    stamp = (int(source.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
    stamp += (source.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(machinery.MAGIC_NUMBER + bytes(4) + stamp)


def machine_code(find: Callable[[str], Entry | None], names: Iterable[str]) -> dict[str, str]:
    """Return the files of those that are machine code, in this order."""
    found = {name: find(name) for name in names}
    return {name: entry[0] for name, entry in found.items() if entry and not entry[3]}


def names_in(folder: str) -> Iterator[str]:
    """Yield the modules and packages in a folder; of what is no folder (an archive), none."""
    try:
        entries = sorted(os.listdir(folder))
    except OSError:
        return
    suffixes = (
        *machinery.EXTENSION_SUFFIXES,
        *machinery.SOURCE_SUFFIXES,
        *machinery.BYTECODE_SUFFIXES,
    )
    for entry in entries:
        if "." not in entry:
            if os.path.isfile(os.path.join(folder, entry, "__init__.py")):
                yield entry
            continue
        for suffix in suffixes:
            name = entry.removesuffix(suffix)
            if name != entry and name.isidentifier() and name not in ("__init__", "__main__"):
                yield name
                break
