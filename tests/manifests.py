"""Manifests of services, for tests that care for nothing else in them."""

from __future__ import annotations

from typing import Any

from bundlevisor.manifest.format.schema import App, Ipc, Manifest, Service, Telemetry


def manifest_of(*services: Service, **fields: Any) -> Manifest:
    """Return a manifest of these; ``fields`` are its other ones."""
    return Manifest(
        schema_version="v0.1",
        target="desktop",
        app=App(name="x", version="1"),
        ipc=Ipc(mode="loopback-http", host="127.0.0.1", port=0, auth_token_path="t"),
        telemetry=Telemetry(file="t.jsonl"),
        services=list(services),
        **fields,
    )


def needing(**dependencies: str) -> Manifest:
    """Return a manifest of services by id, each with the ids that it needs in one string."""
    return manifest_of(
        *(Service(id=id_, dependencies=text.split()) for id_, text in dependencies.items())
    )
