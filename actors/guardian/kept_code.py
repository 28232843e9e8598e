"""The code that will be needed later, kept out of reach of an updater that removes our files.

Much of it is needed only by a stop, an error or a rare request; to import all of it would cost
megabytes in each process. So its bytecode lies in one file without a name, which the runtime and
its guardians share. A finder that comes before all others takes modules from there when they are
imported, and so never imports a module of another version that lies on the disk by then. Of modules
of machine code the file is kept open (Linux), or else they are loaded at once.
"""

from __future__ import annotations

import marshal
import os
import sys

from bundlevisor.actors.guardian.kept_index import KeptIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

    from bundlevisor.actors.guardian.kept_index import CodeSource, Entry


ROOM = 12
"""Open files that are left for clients, logs and what is written now and then."""

machinery: Any = sys.modules["_frozen_importlib_external"]  # what importlib.machinery is made of
bootstrap: Any = sys.modules["_frozen_importlib"]


class SharedStore:
    """A file without a name; a descriptor is all it takes to read it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._end = 0

    def read(self, offset: int, length: int) -> bytes:
        """Return so many bytes from there; others that share the descriptor may read meanwhile."""
        if sys.platform == "win32":
            os.lseek(self.fd, offset, os.SEEK_SET)
            return os.read(self.fd, length)
        else:  # noqa: RET505 - or mypy calls it unreachable on Windows
            return os.pread(self.fd, length, offset)

    def write(self, data: bytes) -> int:
        """Put them at the end; return where that was."""
        at = self._end
        os.lseek(self.fd, at, os.SEEK_SET)
        while data:
            written = os.write(self.fd, data)
            self._end += written
            data = data[written:]
        return at


class PrivateStore:
    """Memory of this process, where no file without a name can be handed on (Windows)."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}
        self._end = 0

    def read(self, offset: int, length: int) -> bytes:
        """Return what was written there."""
        return self._parts[offset][:length]

    def write(self, data: bytes) -> int:
        """Keep them."""
        at = self._end
        self._parts[at] = data
        self._end += len(data)
        return at


if sys.platform == "linux":

    def has_room(files: int) -> bool:
        """Whether so many more may be open, and ROOM for all else."""
        try:
            there = len(os.listdir("/proc/self/fd"))
        except OSError:
            return False
        most = os.sysconf("SC_OPEN_MAX")
        return most < 0 or there + files + ROOM <= most

else:

    def has_room(files: int) -> bool:  # noqa: ARG001 - none of them stay open
        """Whether so many more may be open."""
        return True


class KeptCode:
    """Finds and loads what lies in a source; ``index_at`` says where its index does."""

    def __init__(self, source: CodeSource, index_at: tuple[int, int]) -> None:
        self._source = source
        self._index_at = index_at
        self._index: KeptIndex | None = None
        self._machine_code: dict[str, int] = {}

    def stand_in(self, machine_code: Mapping[str, str]) -> None:
        """Be asked before the disk is, and hold these files, by module, unless it is loaded.

        They are left on the disk where holding them would leave no open file for clients.
        """
        finders: list[Any] = sys.meta_path
        for finder in finders:
            if hasattr(finder, "stay_open"):  # a shipped folder's: it has all in one file
                finder.stay_open()
        finders.insert(0, self)
        missing = {name: path for name, path in machine_code.items() if name not in sys.modules}
        if has_room(len(missing)):
            for name, path in missing.items():
                self._hold(name, path)

    def _hold(self, name: str, path: str) -> None:
        try:
            if sys.platform == "linux":
                self._machine_code[name] = os.open(path, os.O_RDONLY)
            else:
                __import__(name)
        except (OSError, ImportError):
            return

    def _entry(self, name: str) -> Entry | None:
        if self._index is None:
            self._index = KeptIndex(self._source, self._index_at)
        return self._index.get(name)

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        """Return how to make a module that is kept."""
        entry = self._entry(name)
        if entry is None:
            return None
        origin, folders, _, length = entry
        if not length:
            return self._spec_of_machine_code(name)
        spec: ModuleSpec = bootstrap.ModuleSpec(
            name, self, origin=origin, is_package=folders is not None
        )
        spec.submodule_search_locations = folders
        spec.has_location = True
        return spec

    def _spec_of_machine_code(self, name: str) -> ModuleSpec | None:
        fd = self._machine_code.get(name)
        if fd is None:
            return None
        path = f"/proc/self/fd/{fd}"
        loader = machinery.ExtensionFileLoader(name, path)
        spec: ModuleSpec = machinery.spec_from_file_location(name, path, loader=loader)
        return spec

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the import system."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the code that is kept."""
        entry = self._entry(module.__name__)
        assert entry is not None  # noqa: S101 - it has been found
        _, _, offset, length = entry
        code: CodeType = marshal.loads(self._source.read(offset, length))  # noqa: S302 - our own
        exec(code, module.__dict__)  # noqa: S102 - this is what a loader does
