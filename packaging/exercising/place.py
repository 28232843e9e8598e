"""Where the folder and its bundle lie."""

from __future__ import annotations

import os
import shutil


class Place:
    """Where the folder and its bundle lie, as the tried programs see it and as we do."""

    def __init__(self, folder: str, work: str, root: str, before: list[str]) -> None:
        self.folder, self.work, self.root = folder, work, root
        self._before = [
            *([shutil.which("chroot") or "/usr/sbin/chroot", root] if root else []),
            *before,
        ]

    def outside(self, *parts: str) -> str:
        """Return the path by which we reach a file of the work folder."""
        inside = os.path.join(self.work, *parts)
        return os.path.join(self.root, inside.lstrip("/")) if self.root else inside

    def command(self, program: str, *words: str) -> list[str]:
        """Return the command line of one of the folder's programs."""
        exe = ".exe" if os.path.exists(f"{self.folder}/runtime.exe") else ""
        return [*self._before, os.path.join(self.folder, program + exe), *words]

    @property
    def manifest(self) -> str:
        """The bundle's manifest."""
        return os.path.join(self.work, "bundle", "bundle.json")

    @property
    def app_data(self) -> str:
        """The application's data."""
        return os.path.join(self.work, "app data")
