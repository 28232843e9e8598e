"""The runtime as a container's first process, which adopts whatever is orphaned in there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import absent
from tests.bundle_maker import bundle, starting, wait_until
from tests.installed import COMMAND

if sys.platform != "linux":
    pytest.skip("only Linux has such containers", allow_module_level=True)

pytestmark = absent.unless(
    os.geteuid() == 0 and shutil.which("unshare") and shutil.which("nsenter"),
    "root, unshare and nsenter: to be the first process of a pid namespace",
)
AS_INIT = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *COMMAND]
BESIDE = "sleep 600 </dev/null >/dev/null 2>&1 & exec sleep 0"


def test_what_is_run_in_a_container_from_outside_is_no_service_s(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("web").write()
    with starting(made, command=AS_INIT) as run:
        run.await_listening()
        run.until_ready()
        (runtime,) = psutil.Process(run.process.pid).children()
        inside = ["nsenter", "--target", str(runtime.pid), "--pid", "--mount"]
        subprocess.run([*inside, "sh", "-c", BESIDE], check=True)
        (stranger,) = wait_until(
            lambda: [one for one in runtime.children() if one.name() == "sleep"], what="the orphan"
        )
        assert run.post("/services/web/restart?wait=20").json()["state"] == "ready"
        assert stranger.is_running()
        assert stranger.status() != psutil.STATUS_ZOMBIE
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
