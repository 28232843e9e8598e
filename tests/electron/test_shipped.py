"""The installed application: the package, and the folder that is shipped, among its resources."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests import absent
from tests.electron.npm import NODE, PACKAGE, ROOT, needs_node, run

SCRIPT = """
const { start } = require(process.argv[1]);
const options = { packaged: true, resources: process.argv[2], appData: process.argv[3], env: {} };
start(options).then(async (runtime) => {
  const { ready } = await runtime.readiness({ wait: 50 });
  const page = await fetch(await runtime.pageUrl("page"));
  const { code } = await runtime.stop();
  console.log(JSON.stringify({ ready, page: await page.text(), code }));
});
"""


@absent.unless(
    sys.platform == "linux" and platform.machine() == "x86_64", "linux-x64, whose folder this is"
)
@needs_node
@pytest.mark.timeout(1500)
def test_an_installed_application_starts_the_folder_that_was_shipped(tmp_path: Path) -> None:
    resources = tmp_path / "Meine Notizen" / "resources"
    bundle = resources / "bundle"
    builder = ROOT / "packaging" / "folder.py"
    target = ("--target", "linux-x64", "--output", bundle / "runtime" / "linux-x64")
    subprocess.run(
        [sys.executable, builder, *target, "--stand-in", sys.base_prefix], check=True, timeout=250
    )
    (bundle / "page").mkdir()
    (bundle / "page" / "index.html").write_text("shipped")
    (bundle / "bundle.json").write_text(json.dumps(manifest()))
    told = run(NODE or "", "-e", SCRIPT, PACKAGE / "lib", resources, tmp_path / "data")
    assert json.loads(told) == {"ready": True, "page": "shipped", "code": 0}


def manifest() -> dict[str, object]:
    """Return a bundle of one page, which needs no program of the machine."""
    return {
        "schema_version": "v0.1",
        "target": "desktop",
        "app": {"name": "Shipped", "version": "1.0.0"},
        "ipc": {
            "mode": "loopback-http",
            "host": "127.0.0.1",
            "port": 0,
            "auth_token_path": "runtime/auth-token",
        },
        "telemetry": {"file": "telemetry/events.jsonl"},
        "services": [
            {
                "id": "page",
                "type": "ui-bundle",
                "binaries": {"universal": {"path": "page"}},
                "ports": {"requested": [{"name": "http", "range": {"min": 20000, "max": 29999}}]},
                "readiness": {"type": "port_open", "port_name": "http"},
            }
        ],
    }
