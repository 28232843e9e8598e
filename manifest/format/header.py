"""What a new ``bundle.json`` begins with: the fields that each has to have before its services."""

from __future__ import annotations

from typing import Any

from bundlevisor.manifest.format.app_data import USUAL_TELEMETRY, USUAL_TOKEN


def header(name: str, version: str, port: int = 0) -> dict[str, Any]:
    """Return the first fields; ``port`` is the control API's, 0 for any that is free."""
    return {
        "schema_version": "v0.1",
        "target": "desktop",
        "app": {"name": name, "version": version},
        "ipc": {
            "mode": "loopback-http",
            "host": "127.0.0.1",
            "port": port,
            "auth_token_path": USUAL_TOKEN,
        },
        "telemetry": {"file": USUAL_TELEMETRY},
    }
