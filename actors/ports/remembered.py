"""The ports of the last start, used again when they are free: ``runtime/ports.json``.

The choice is written down beside the services' starts, and before the runtime ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from bundlevisor.actors.files import atomic, instance, own_file
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.process import table
from bundlevisor.manifest.format.app_data import PORTS, below
from bundlevisor.manifest.format.document import Port

Remembered = dict[str, dict[str, int]]
"""{service: {port name: number}}"""

_File = dict[str, dict[str, Port]]


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
        return read(self._app_data)

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
                write(self._app_data, self._latest)
            except OSError as error:
                self._warn(f"the choice of ports could not be remembered: {error_text(error)}")


def path(app_data: str) -> str:
    """Where an app-data folder's ports are remembered."""
    return below(app_data, PORTS)


def read(app_data: str) -> tuple[Remembered, str | None]:
    """Return the remembered ports, and a sentence when the file was unusable and is set aside."""
    found, trouble = atomic.read_or_set_aside(path(app_data), _parse)
    return found or {}, trouble


def peek(app_data: str) -> Remembered:
    """Return the remembered ports, none where the file is of no use; touches nothing."""
    try:
        return _parse(atomic.read(path(app_data), follow=False))
    except (OSError, ValueError):
        return {}


def of_running(app_data: str) -> Remembered | None:
    """Return the ports of the instance that runs on a folder; None where none runs."""
    record = instance.peek(app_data)
    if record is None or not table.may_be_alive(record.pid, record.created):
        return None
    return peek(app_data)


def write(app_data: str, ports: Remembered) -> None:
    """Remember the ports; a file that says so already is left alone. Raises OSError."""
    data = msgspec.json.format(msgspec.json.encode(ports, order="sorted"), indent=2)
    try:
        if own_file.read(path(app_data), follow=False) == data:
            return
    except OSError:
        pass
    atomic.write(path(app_data), data)


def _parse(data: bytes) -> Remembered:
    return msgspec.json.decode(data, type=_File)
