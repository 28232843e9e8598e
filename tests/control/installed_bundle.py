"""The bundle of the runtime in memory, as one that the installed command runs."""

from __future__ import annotations

from pathlib import Path

from bundlevisor.testing import Bundle
from bundlevisor.testing.bundle import KIT
from tests.control.fake_runtime import BUNDLE

PLAY = """
import os, time
while os.path.exists({hold!r}):
    time.sleep(0.01)
{program}
"""
"""The kit's program on the port that is given, whatever its name, once nothing holds it."""
STOP_MS = 60_000
"""Longer than a test looks at a bundle that is stopping."""
SLEEP = "import time; time.sleep(3600)"


def installed_bundle(folder: Path, hold: Path | None = None) -> Bundle:
    """Return it; each service is one of the kit's programs, the worker one that does nothing.

    As long as there is a file ``hold``, none with a port begins to listen.
    """
    play = PLAY.format(program=KIT, hold=str(hold or folder / "hold"))
    app = BUNDLE["app"]
    bundle = Bundle(folder, app["name"], app["version"])
    bundle.set(**{name: BUNDLE[name] for name in ("swaps", "secrets", "telemetry")})
    for entry in BUNDLE["services"]:
        id_, fields = entry["id"], {k: v for k, v in entry.items() if k != "dependencies"}
        ports = [port["name"] for port in entry.get("ports", {}).get("requested", ())]
        program = [f"bin/{id_}", *(f"${{{id_}.{port}}}" for port in ports)]
        for port in ports:
            fields["health"] = {"type": "http", "path": "/health", "port_name": port}
            fields["readiness"] = {"type": "health_success", "port_name": port}
            fields["stop"] = {"timeout_ms": STOP_MS}
        bundle.script(f"bin/{id_}", play if ports else SLEEP)
        bundle.service(id_, program, needs=entry.get("dependencies", ()), **fields)
    return bundle
