"""What a runtime does not load for its first page, nor for services whose data it looks after."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import bundle, running
from tests.hidden import needs_look

BEHIND_TEMPFILE = {"_random", "_bz2", "_lzma"}
"""Machine code that tempfile and shutil bring with them."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/PID/maps")
@needs_look
def test_a_page_and_a_migration_bring_no_temporary_files_and_no_compression(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    made.file("ui/index.html", "a page")
    made.service(
        "ui",
        type="ui-bundle",
        binaries={"universal": {"path": "ui"}},
        health={"type": "http", "path": "/", "interval_ms": 50, "timeout_ms": 2000},
        readiness={"type": "health_success"},
    )
    made.script("bin/migrate", "pass")
    migration = {"version": "1", "command": ["bin/migrate"]}
    made.service("store", data_dirs=["${data}/kept"], migrations=[migration])
    with running(made.write()) as run:
        run.until_ready()
        maps = psutil.Process(run.pid).memory_maps()
        loaded = {Path(one.path).name.partition(".")[0] for one in maps}
    assert loaded & BEHIND_TEMPFILE == set()
