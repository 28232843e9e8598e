"""What an orderly stop could not remove, since the disk stood still, is in nobody's way."""

from __future__ import annotations

import json
from pathlib import Path

from bundlevisor.testing import Bundle, Runtime
from tests.live_runtime import bundlevisor


def test_the_record_of_an_instance_that_has_ended_names_no_instance(tmp_path: Path) -> None:
    made = Bundle(tmp_path).service("db")
    with Runtime(made) as runtime:
        runtime.wait_ready()
        path = runtime.app_data / "runtime" / "instance.json"
        record = path.read_bytes()
    assert not path.exists()
    path.write_bytes(record)
    asked = bundlevisor("status", "--app-data", str(runtime.app_data))
    assert asked.returncode == 4, asked.stderr
    with Runtime(made) as successor:
        successor.wait_ready()
        assert json.loads(path.read_bytes())["pid"] == successor.pid != json.loads(record)["pid"]
    assert not path.exists()
