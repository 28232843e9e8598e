"""The values of secrets on disk: ``<app-data>/secrets.json``, for the user alone (0600).

Written as ``{"secrets": {id: value}}``; a flat ``{id: value}`` of older installations is read too.
``in_key_store`` lists the secrets whose values the system's key store holds, so that nobody takes
one for missing, and makes another, only because the key store is not there today.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.manifest.format.app_data import SECRETS, below


class Kept(msgspec.Struct, frozen=True):
    """What the file says."""

    values: Concealed = msgspec.field(default_factory=Concealed)
    in_key_store: frozenset[str] = frozenset()


def path(app_data: str) -> str:
    """Where an app-data folder's secrets are."""
    return below(app_data, SECRETS)


def read(app_data: str) -> tuple[Kept, str | None]:
    """Return what is kept, and a sentence when the file was torn and is set aside.

    Raises OSError for a file that is there and cannot be read: its values must not be replaced.
    """
    file = path(app_data)
    try:
        descriptor = own_file.open_to_read(file)
    except FileNotFoundError:
        return Kept(), None
    try:
        if os.fstat(descriptor).st_mode & 0o077 and not os.path.islink(file):
            with suppress(OSError):  # a file system without modes, where the folder's rights hold
                os.chmod(file, 0o600)
    finally:
        os.close(descriptor)
    found, trouble = atomic.read_or_refuse(file, _parse)
    return found or Kept(), trouble


def peek(app_data: str) -> Kept:
    """Return what is kept, and touch nothing: it may belong to an instance that runs.

    Raises OSError for a file that cannot be read, ValueError for a torn one.
    """
    try:
        return _parse(atomic.read(path(app_data)))
    except FileNotFoundError:
        return Kept()


def write(app_data: str, values: Mapping[str, str], in_key_store: Collection[str] = ()) -> None:
    """Replace the file, durably; raises OSError and leaves the old one then."""
    document: dict[str, object] = {"secrets": dict(values)}
    if in_key_store:
        document["in_key_store"] = sorted(in_key_store)
    data = msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2)
    atomic.write(path(app_data), data + b"\n")


def _parse(data: bytes) -> Kept:
    document = msgspec.json.decode(data, type=dict[str, Any])
    nested = document.get("secrets")
    if not isinstance(nested, dict):
        return Kept(_texts(document))
    listed = document.get("in_key_store")
    ids = listed if isinstance(listed, list) else ()
    return Kept(_texts(nested), frozenset(one for one in ids if isinstance(one, str)))


def _texts(values: Mapping[str, object]) -> Concealed:
    return Concealed({id_: value for id_, value in values.items() if isinstance(value, str)})
