"""The record of a running instance: who it is, where it answers, and what it has started.

A second starter reads it to name the first; the sweep of the next start reads it to find what an
earlier instance left behind.

Annotations are evaluated as they stand, as in :mod:`bundlevisor.manifest.format.schema`.
"""

from collections.abc import Callable

import msgspec

from bundlevisor.actors.files import atomic, json_text, own_file
from bundlevisor.manifest.format.app_data import INSTANCE, LAST_END, below


class ServiceProcess(msgspec.Struct, frozen=True, kw_only=True):
    """One leader that was spawned; ``created`` tells it from a later process of the same pid.

    ``instance`` is the SERVICE_INSTANCE_ID that marks it and its children.
    """

    pid: int
    created: float
    instance: str


class Processes(msgspec.Struct, frozen=True, kw_only=True):
    """Of the record, what the sweep of the next start needs.

    It waits for the guardian and for the one in reserve, which may be stopping the services, and
    ends what is in the control group with the folder ``group``. What ``created`` means the platform
    says (:mod:`bundlevisor.actors.process.table`); by itself it is the runtime's own.
    """

    instance_id: str
    pid: int
    created: float
    guardian_pid: int = 0
    guardian_created: float = 0.0
    reserve_pid: int = 0
    reserve_created: float = 0.0
    group: str = ""
    services: dict[str, list[ServiceProcess]] = {}


class Instance(Processes, frozen=True, kw_only=True):
    """``instance.json``."""

    host: str
    port: int
    token_path: str
    manifest: str
    started_at: float
    """Seconds since the epoch."""
    bundle_root: str = ""
    overlays: tuple[str, ...] = ()
    """Absolute paths of the files that change the manifest."""


def path(app_data: str) -> str:
    """Where the record of an app-data folder lies."""
    return below(app_data, INSTANCE)


def end_path(app_data: str) -> str:
    """Where a runtime leaves word of its end (:mod:`bundlevisor.actors.files.last_end`)."""
    return below(app_data, LAST_END)


def forget_end(app_data: str) -> None:
    """Remove the word of an earlier end: there is a runtime again."""
    try:
        own_file.remove(end_path(app_data))
    except OSError:
        return


def peek(app_data: str) -> Instance | None:
    """Return the record if there is a readable one; touches nothing: it may be somebody else's."""
    try:
        return _parse(atomic.read(path(app_data)))
    except (OSError, ValueError):
        return None


def write(
    app_data: str, record: Instance, making: Callable[[str], object] = atomic.unheard
) -> None:
    """Replace the record. Raises OSError. ``making`` is that of :func:`atomic.write`.

    Not synced: what a power cut could take with it, it has ended as well.
    """
    atomic.write(path(app_data), json_text.encode_kept(record), durable=False, making=making)


def remove(app_data: str, instance_id: str) -> None:
    """Remove the record if it is still that of this instance."""
    record = peek(app_data)
    if record is None or record.instance_id != instance_id:
        return
    try:
        own_file.remove(path(app_data))
    except OSError:
        return


def _parse(data: bytes) -> Instance:
    return json_text.decode_kept(data, Instance)
