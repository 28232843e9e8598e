"""The choice of ports is written down beside the services' starts, and before the runtime ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.ports import remembered
from bundlevisor.actors.ports.remembered import Remembered


class PortMemory:
    """``runtime/ports.json`` of one app-data folder; ``warn`` hears why it cannot be written."""

    def __init__(self, app_data: str, warn: Callable[[str], None]) -> None:
        self._app_data = app_data
        self._warn = warn
        self._latest: Remembered = {}
        self._writing = threading.Lock()
        self._writer: threading.Thread | None = None

    def read(self) -> tuple[Remembered, str | None]:
        """Return the ports of the last start; a sentence when the file was set aside."""
        return remembered.read(self._app_data)

    def put(self, ports: Remembered) -> None:
        """Have this choice written soon, and no earlier one after it; no disk is waited for."""
        self._latest = ports
        writer = threading.Thread(target=self._write, name="ports", daemon=True)
        try:
            writer.start()
        except RuntimeError as error:  # no more threads for this user
            self._warn(f"the choice of ports could not be remembered: {error}")
            return
        self._writer = writer

    def close(self, patience: float) -> None:
        """Wait until the latest choice is written, for so many seconds at most."""
        if self._writer is not None:
            self._writer.join(patience)

    def _write(self) -> None:
        with self._writing:
            try:
                remembered.write(self._app_data, self._latest)
            except OSError as error:
                self._warn(f"the choice of ports could not be remembered: {error_text(error)}")
