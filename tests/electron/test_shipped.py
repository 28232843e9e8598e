"""The installed application: the package, and the folder that is shipped, among its resources."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path

import pytest

from bundlevisor.manifest.format.header import header
from bundlevisor.testing.ports import free_block
from tests import absent
from tests.electron.npm import NODE, PACKAGE, needs_node, run
from tests.packaging.made import BUILD_S, shipped_folder

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
@pytest.mark.timeout(BUILD_S)
def test_an_installed_application_starts_the_folder_that_was_shipped(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    resources = tmp_path / "Meine Notizen" / "resources"
    bundle = resources / "bundle"
    runtime = bundle / "runtime" / "linux-x64"
    shutil.copytree(shipped_folder(tmp_path_factory), runtime, symlinks=True)
    (bundle / "page").mkdir()
    (bundle / "page" / "index.html").write_text("shipped")
    (bundle / "bundle.json").write_text(json.dumps(manifest()))
    told = run(NODE or "", "-e", SCRIPT, PACKAGE / "lib", resources, tmp_path / "data")
    assert json.loads(told) == {"ready": True, "page": "shipped", "code": 0}


def manifest() -> dict[str, object]:
    """Return a bundle of one page, which needs no program of the machine."""
    port = free_block(1)
    return {
        **header("Shipped", "1.0.0"),
        "services": [
            {
                "id": "page",
                "type": "ui-bundle",
                "binaries": {"universal": {"path": "page"}},
                "ports": {"requested": [{"name": "http", "range": {"min": port, "max": port}}]},
                "readiness": {"type": "port_open", "port_name": "http"},
            }
        ],
    }
