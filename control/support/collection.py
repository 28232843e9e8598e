"""The files of a support archive: what is on disk, read without an instance."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator

import msgspec

from bundlevisor.actors.files import json_text, own_file
from bundlevisor.control.wire import version

LOG_BYTES = 256 * 1024
"""Of the end of each log."""
EVENT_BYTES = 2 * 1024 * 1024
"""Of the end of the events."""
STATE_BYTES = 1024 * 1024
STATE = (
    "runtime/instance.json",
    "runtime/last_end.json",
    "runtime/timelines.json",
    "runtime/ports.json",
    "runtime/verified.json",
    "migrations.json",
)
"""Files of ours in app-data; the token and the secrets are not among them."""


class Part(msgspec.Struct, frozen=True):
    """One file of the archive; ``cut`` says that only its end is there."""

    name: str
    data: bytes
    cut: bool = False


def on_disk(
    app_data: str, telemetry: str, logs: list[str], missing: Callable[[str], object]
) -> Iterator[Part]:
    """Yield what app-data holds; ``missing`` hears a sentence of each file that cannot be read.

    ``telemetry`` and ``logs`` are paths; a log that is not there is nothing to tell.
    """
    for name in STATE:
        yield from _end_of(os.path.join(app_data, name), name, STATE_BYTES, missing)
    for path in (f"{telemetry}.1", telemetry):
        name = f"telemetry/{os.path.basename(path)}"
        yield from _end_of(path, name, EVENT_BYTES, missing)
    for path in sorted(dict.fromkeys(logs)):
        yield from _end_of(path, f"logs/{os.path.basename(path)}", LOG_BYTES, missing)


def logs_in(app_data: str) -> list[str]:
    """Return the logs in their usual folder, the rotated ones that came last included."""
    folder = os.path.join(app_data, "logs")
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith((".log", ".log.1"))]


def _end_of(path: str, name: str, most: int, missing: Callable[[str], object]) -> Iterator[Part]:
    try:
        descriptor = own_file.open_to_read(path)
    except FileNotFoundError:
        return
    except OSError as error:
        missing(f"{name}: {own_file.error_text(error)}")
        return
    try:
        size = os.fstat(descriptor).st_size
        begin = max(0, size - most)
        os.lseek(descriptor, begin, os.SEEK_SET)
        data = own_file.read_up_to(descriptor, most)
    except OSError as error:
        missing(f"{name}: {own_file.error_text(error)}")
        return
    finally:
        os.close(descriptor)
    if begin:
        data = data[data.find(b"\n") + 1 :]
    yield Part(name, data, cut=bool(begin))


def machine() -> Part:
    """Return versions, and the machine as far as it matters."""
    import psutil

    facts = {
        "bundlevisor": version.runtime(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "memory_available_mib": psutil.virtual_memory().available // 2**20,
        "encoding": sys.getfilesystemencoding(),
    }
    return Part("machine.json", msgspec.json.format(json_text.encode(facts)))
