"""A script has started programs of its own when it becomes the runtime (``exec``)."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import of_pids
from tests.bundle_maker import bundle, starting
from tests.installed import COMMAND

if sys.platform == "win32":
    pytest.skip("there a script stays what it is", allow_module_level=True)

SCRIPT = 'sleep 600 </dev/null >/dev/null 2>&1 & echo $! > "$0"; exec "$@"'


def test_what_the_script_has_started_outlives_the_bundle(tmp_path: Path) -> None:
    told = tmp_path / "told"
    made = bundle(tmp_path).service("web").write()
    with starting(made, command=["sh", "-c", SCRIPT, str(told), *COMMAND]) as run:
        run.await_listening()
        run.until_ready()
        (program,) = of_pids([int(told.read_text())])
        try:
            run.kill(signal.SIGTERM)
            assert run.wait_gone() == 0
            assert program.status() != psutil.STATUS_ZOMBIE
        finally:
            program.kill()
