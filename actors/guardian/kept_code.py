"""The code that will be needed later, kept in memory: an updater may remove our files meanwhile.

Imported for good, what only a stop, an error or a rare request needs would cost megabytes. So its
bytecode is kept packed, and a finder in front of all others makes modules of it when they are
imported: never one of the version that lies on the disk by then. What a module of machine code
needs is its open file (Linux), or else it is loaded at once.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

machinery: Any = sys.modules["_frozen_importlib_external"]  # what importlib.machinery is made of
bootstrap: Any = sys.modules["_frozen_importlib"]

BREATH = 0.0005
"""Seconds between two files: nobody waits for this, and others start services."""
HEADER = 16
"""Bytes of a .pyc file before its code: magic, flags, time and size of the source."""


class KeptCode:
    """Finds and loads what :meth:`keep` was given, once it is asked before the disk is."""

    def __init__(self, breath: float = BREATH) -> None:
        self.size = 0
        """Bytes of memory in use."""
        self._breath = breath
        self._packed: dict[str, bytes] = {}
        self._specs: dict[str, ModuleSpec] = {}

    def stand_in(self) -> None:
        """Be asked before the disk is."""
        finders: list[Any] = sys.meta_path
        if self not in finders:
            finders.insert(0, self)

    def keep(
        self, names: Iterable[str], *, whole: Iterable[str] = (), without: Collection[str] = ()
    ) -> None:
        """Keep modules, and ``whole`` packages with everything in them, unless they are loaded.

        ``without`` are packages to leave out. Names that are not to be found are passed over:
        platforms and versions differ.
        """
        for name in names:
            self._keep(name)
        for package in whole:
            self._keep_all(package, without)

    def _keep_all(self, package: str, without: Collection[str]) -> None:
        if package in without:
            return
        self._keep(package)
        for folder in self._folders(package) or ():
            for name in _names_in(folder):
                self._keep_all(f"{package}.{name}", without)

    def _keep(self, name: str) -> None:
        if name in sys.modules or name in self._specs:
            return
        parent = name.rpartition(".")[0]
        try:
            if parent:
                self._keep(parent)
            spec = machinery.PathFinder.find_spec(name, self._folders(parent) if parent else None)
            if spec is None or spec.loader is None:
                return
            if isinstance(spec.loader, machinery.ExtensionFileLoader):
                self._keep_machine_code(spec)
            else:
                packed = zlib.compress(_bytecode(spec), 6)
                self._packed[name] = packed
                self._specs[name] = spec
                self.size += len(packed)
        except (OSError, ImportError, SyntaxError, ValueError):
            return
        time.sleep(self._breath)

    def _keep_machine_code(self, spec: ModuleSpec) -> None:
        if sys.platform == "linux":
            fd = os.open(str(spec.origin), os.O_RDONLY)
            path = f"/proc/self/fd/{fd}"
            loader = machinery.ExtensionFileLoader(spec.name, path)
            held = machinery.spec_from_file_location(spec.name, path, loader=loader)
            self._specs[spec.name] = held
        else:
            __import__(spec.name)

    def _folders(self, package: str) -> list[str] | None:
        if package in self._specs:
            return self._specs[package].submodule_search_locations
        return getattr(sys.modules.get(package), "__path__", None)

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        """Return how to make a module that was kept."""
        kept = self._specs.get(name)
        if kept is None or name not in self._packed:
            return kept
        spec: ModuleSpec = bootstrap.ModuleSpec(
            name, self, origin=kept.origin, is_package=kept.submodule_search_locations is not None
        )
        spec.submodule_search_locations = kept.submodule_search_locations
        spec.has_location = kept.has_location
        return spec

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the import system."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the code that was kept."""
        code: CodeType = marshal.loads(zlib.decompress(self._packed[module.__name__]))  # noqa: S302
        exec(code, module.__dict__)  # noqa: S102 - this is what a loader does


def _bytecode(spec: ModuleSpec) -> bytes:
    """Return marshalled code: of the .pyc file if it is that of the source, or by the loader."""
    loader: Any = spec.loader
    if type(loader) is machinery.SourceFileLoader and spec.cached:
        try:
            with open(spec.cached, "rb") as file:
                data = file.read()
            found = os.stat(str(spec.origin))
        except OSError:
            data = b""
        else:
            stamp = (int(found.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
            stamp += (found.st_size & 0xFFFFFFFF).to_bytes(4, "little")
            if data[:HEADER] == machinery.MAGIC_NUMBER + bytes(4) + stamp:
                return data[HEADER:]
    return marshal.dumps(loader.get_code(spec.name))


def _names_in(folder: str) -> Iterator[str]:
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
