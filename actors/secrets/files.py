"""Secrets that services read from files: there only while a service that uses them runs."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.guardian.in_the_making import in_the_making
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec

if TYPE_CHECKING:
    from bundlevisor.actors.guardian.in_the_making import Owner

TOLD = 4096
"""Bytes of a file by which the guardian knows it for ours: its channel takes them at once."""


class SecretFiles:
    """Every method may be called from any thread."""

    def __init__(self, owner: Owner, warn: Callable[[str], object]) -> None:
        self._owner = owner
        self._warn = warn
        self._lock = threading.Lock()
        self._users: dict[str, set[str]] = {}
        self._written: dict[str, str] = {}
        """What we have written, and why it could not be removed; empty as long as it could."""

    def place(self, service_id: str, files: Mapping[str, bytes]) -> None:
        """Write the files (path to content) that a service is about to read; raises OSError.

        Each is readable for the user alone from the first moment on, and whole at every moment.
        The guardian knows of it before it is there, and before it has its name, also when the next
        moment is the runtime's last: of a whole big file a part would still wait in the runtime's
        memory.
        """
        with self._lock:
            for path, content in files.items():
                self._users.setdefault(path, set()).add(service_id)
                self._owner.own(path, content[:TOLD], last=True)
                with in_the_making(self._owner) as making:
                    atomic.write(path, content, durable=False, making=making)
                self._written[path] = ""

    def paths(self) -> frozenset[str]:
        """Return the files that are there, or about to be."""
        with self._lock:
            return frozenset(self._users)

    def remove_for(self, service_id: str) -> None:
        """Remove the files that only this service used: nothing of it runs any more.

        What cannot be removed is told, and tried again whenever something else is removed.
        """
        with self._lock:
            for users in self._users.values():
                users.discard(service_id)
            self._remove_unused()

    def remove_all(self) -> None:
        """Remove those of all services."""
        with self._lock:
            for users in self._users.values():
                users.clear()
            self._remove_unused()

    def _remove_unused(self) -> None:
        for path in [path for path, users in self._users.items() if not users]:
            trouble = remove(path)
            if trouble and path in self._written:
                if trouble != self._written[path]:
                    self._warn(trouble)
                self._written[path] = trouble
                continue
            self._written.pop(path, None)
            del self._users[path]
            self._owner.disown(path)


def remove_left_over(
    specs: Iterable[LaunchSpec],
    ports: dict[str, dict[str, int]],
    values_for: Callable[[str], dict[str, str]],
    warn: Callable[[str], object],
) -> None:
    """Remove what an earlier instance left at a power cut: files that hold what it wrote."""
    for spec in specs:
        with contextlib.suppress(CannotLaunch):
            files = spec.secret_files(StartInputs(ports, values_for(spec.service.id)))
            for path, content in files.items():
                if _holds(path, content) and (trouble := remove(path)):
                    warn(trouble)
                atomic.remove_half_written(os.path.dirname(path), of=os.path.basename(path))


def _holds(path: str, content: bytes) -> bool:
    try:
        return own_file.read(path, len(content), follow=False) == content
    except OSError:
        return False


def remove(path: str) -> str:
    """Remove a file; return why it is still there, empty when it is gone, or was already."""
    try:
        own_file.remove(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return (
            f"a file with a secret could not be removed: {error_text(error)};"
            " this is tried again, also at the next start"
        )
    return ""
