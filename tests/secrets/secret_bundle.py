"""Bundles with secrets, and the search for values where none may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bundlevisor.actors.files import atomic
from tests.bundle_maker import Bundle, Run, bundle

NEVER_SHOWN = ("secrets.json",)
"""The only file of the runtime that may hold values."""


def secret(id_: str, class_: str = "user_prompt", **fields: Any) -> dict[str, Any]:
    target = fields.pop("target", {"type": "env", "name": id_.upper()})
    return {"id": id_, "class": class_, "target": target, **fields}


def file_secret(id_: str, name: str, **fields: Any) -> dict[str, Any]:
    return secret(id_, target={"type": "file", "name": name}, **fields)


def generated(id_: str, **fields: Any) -> dict[str, Any]:
    return secret(id_, "per_install_generated", **fields)


def with_secrets(folder: Path, *secrets: dict[str, Any]) -> Bundle:
    return bundle(folder).set(secrets=list(secrets))


def environments(run: Run, service_id: str) -> list[dict[str, str]]:
    """Return the environment of each start, as the service saw it."""
    return [event["env"] for event in run.events(service_id, "environment")]


def give(run: Run, **values: object) -> None:
    reply = run.post("/secrets", {"secrets": values})
    assert (reply.status, reply.json()) == (200, {"status": "ok"})


def places_that_hold(run: Run, *values: str) -> list[str]:
    """Return the files of the runtime that hold one of the values, secrets.json aside.

    What is half written is left out: it gets its name, and is looked at, or goes, meanwhile.
    """
    files = [
        path
        for path in run.app_data.rglob("*")
        if path.is_file() and not atomic.is_half_written(path.name)
    ]
    files.append(run.app_data.with_name(run.app_data.name + ".stderr"))
    return [
        str(path)
        for path in files
        if path.name not in NEVER_SHOWN
        and any(value.encode() in path.read_bytes() for value in values)
    ]
