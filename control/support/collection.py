"""The files of a support archive: what is on disk, read without an instance."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator

import msgspec

from bundlevisor.actors.files import json_text, own_file
from bundlevisor.control.wire import version
from bundlevisor.manifest.format.app_data import (
    INSTANCE,
    LAST_END,
    LOGS,
    MIGRATIONS,
    OLDER,
    PORTS,
    ROTATED,
    TIMELINES,
    VERIFIED,
    below,
    log_name,
)
from bundlevisor.manifest.format.paths import part_below

LOG_BYTES = 256 * 1024
"""Of the end of each log."""
EVENT_BYTES = 2 * 1024 * 1024
"""Of the end of the events."""
STATE_BYTES = 1024 * 1024
STATE = (INSTANCE, LAST_END, TIMELINES, PORTS, VERIFIED, MIGRATIONS)
"""Files of ours in app-data; the token and the secrets are not among them."""
NEWEST = ROTATED[:2]
"""The parts of each log."""


class Part(msgspec.Struct, frozen=True):
    """One file of the archive; ``cut`` says that only its end is there."""

    name: str
    data: bytes
    cut: bool = False


def on_disk(
    app_data: str, telemetry: str, logs: list[str], missing: Callable[[str], object]
) -> Iterator[Part]:
    """Yield what app-data holds; ``missing`` hears a sentence of each file that cannot be read.

    ``telemetry`` and ``logs`` are paths; a log that is not there is nothing to tell. A log has its
    name in app-data: two services may call theirs the same, in different folders.
    """
    for name in STATE:
        yield from _end_of(below(app_data, name), name, STATE_BYTES, missing)
    for path in (f"{telemetry}{OLDER}", telemetry):
        name = f"telemetry/{os.path.basename(path)}"
        yield from _end_of(path, name, EVENT_BYTES, missing)
    for log in sorted(dict.fromkeys(logs)):
        place = part_below(log, app_data).replace(os.sep, "/")
        for part in NEWEST:
            yield from _end_of(f"{log}{part}", f"{place}{part}", LOG_BYTES, missing)


def logs_in(app_data: str) -> list[str]:
    """Return the logs in their usual folder, of services that the bundle has no more as well."""
    folder = below(app_data, LOGS)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith(log_name(""))]


def _end_of(path: str, name: str, most: int, missing: Callable[[str], object]) -> Iterator[Part]:
    try:
        descriptor = own_file.open_to_read(path, follow=False)  # a link may lead to any file
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


def machine(missing: Callable[[str], object]) -> Part:
    """Return versions, and the machine as far as it matters; ``missing`` as above."""
    facts = {
        "bundlevisor": version.runtime(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "encoding": sys.getfilesystemencoding(),
        **_memory(missing),
    }
    return Part("machine.json", msgspec.json.format(json_text.encode(facts)))


def _memory(missing: Callable[[str], object]) -> dict[str, int]:
    import psutil

    try:
        memory = psutil.virtual_memory()
    except OSError as error:  # a /proc of processes only: subset=pid, proc(5)
        missing(f"the machine's memory: {own_file.error_text(error)}")
        return {}
    return {
        "memory_mib": memory.total // 2**20,
        "memory_available_mib": memory.available // 2**20,
    }
