"""The bundle of the runtime in memory, as one that the installed command runs."""

from __future__ import annotations

from pathlib import Path

from bundlevisor.testing import Bundle
from bundlevisor.testing.bundle import PROGRAM
from tests.control.fake_runtime import BUNDLE

PLAY = f"import runpy; runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
"""The kit's program on the port that is given, whatever its name."""
SLEEP = "import time; time.sleep(3600)"


def installed_bundle(folder: Path) -> Bundle:
    """Return it; each service is one of the kit's programs, the worker one that does nothing."""
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
        bundle.script(f"bin/{id_}", PLAY if ports else SLEEP)
        bundle.service(id_, program, needs=entry.get("dependencies", ()), **fields)
    return bundle
