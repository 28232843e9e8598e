"""Key stores for tests, chosen by keyring's own PYTHON_KEYRING_BACKEND; they live in a file."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

FILE = "TEST_KEY_STORE"
"""The variable that names the file."""


class InFile(KeyringBackend):
    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._entries(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError

    def _entries(self) -> dict[str, str]:
        path = Path(os.environ[FILE])
        entries: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return entries

    def _write(self, entries: dict[str, str]) -> None:
        Path(os.environ[FILE]).write_text(json.dumps(entries))


class Hanging(InFile):
    """Locked, and nobody there to unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()
        return None


class Locked(InFile):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(service)


class Broken(InFile):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("no session bus, and what stands here is nobody's business")


class Dropping(InFile):
    """Says that it has stored, and has not."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Short(InFile):
    """Takes ten letters."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > 10:
            raise PasswordSetError("too long")
        super().set_password(service, username, password)
