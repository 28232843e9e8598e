"""The ports of the last start, used again when they are free: ``runtime/ports.json``."""

from __future__ import annotations

import msgspec

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.manifest.format.app_data import PORTS, below
from bundlevisor.manifest.format.document import Port

Remembered = dict[str, dict[str, int]]
"""{service: {port name: number}}"""

_File = dict[str, dict[str, Port]]


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
