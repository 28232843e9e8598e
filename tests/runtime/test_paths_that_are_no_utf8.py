"""App-data and bundle in folders whose names are no UTF-8: all works as elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.files.json_text import encode
from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until
from tests.installed import COMMAND
from tests.live_runtime import START_S

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems' file names are Unicode"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / os.fsdecode(b"odd-\xff-\xc3")
    made.mkdir()
    return made


def made_in(folder: Path) -> Bundle:
    made = bundle(folder.parent)
    made.root, made.app_data = folder / "bundle", folder / "app-data"
    made.manifest = made.root / "bundle.json"
    made.script("bin/migrate", "import sys\nprint(sys.argv)\n")
    target = {"type": "file", "name": "k"}
    made.set(secrets=[{"id": "k", "class": "per_install_generated", "target": target}])
    step = {"version": "1", "command": ["bin/migrate"], "run_on": "always"}
    made.service("db", secrets=["k"], data_dirs=["db"], migrations=[step])
    page, gone = {"universal": {"path": "web"}}, {"universal": {"path": "bin/nothing"}}
    made.service("page", type="ui-bundle", binaries=page)
    made.service("gone", binaries=gone, critical=False).write()
    (made.root / "web").mkdir()
    (made.root / "web" / "index.html").write_text("<p>here</p>")
    return made


@contextlib.contextmanager
def running_there(made: Bundle) -> Iterator[Run]:
    """Run a bundle whose token's path JSON cannot carry."""
    with starting(made) as run:
        run.listening = json.loads(run._lines.get(timeout=START_S))
        run.token = (made.app_data / "runtime" / "auth-token").read_text()
        yield run


def client(made: Bundle, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *arguments, "--app-data", str(made.app_data)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60)


def test_every_answer_and_every_command(folder: Path) -> None:
    made = made_in(folder)
    with running_there(made) as run:
        wait_until(lambda: run.service("page")["state"] == "ready", what="the page")
        for path in ("/status", "/telemetry", "/readyz", "/validate", "/events", "/timeline"):
            reply = run.get(path, headers={"Accept": "application/json"})
            assert reply.status == 200, path
            reply.json()
        shown = json.loads(encode(str(made.app_data)))
        assert run.get("/status").json()["app_data_dir"] == shown
        assert "\\xff" in shown
        for command in ("status", "ready", "telemetry"):
            for form in ((), ("--json",)):
                done = client(made, command, *form)
                assert b"Traceback" not in done.stderr
                assert done.stdout
        found = client(made, "validate", "--json", "--manifest", str(made.path))
        assert json.loads(found.stdout)["missing_binaries"][0]["service_id"] == "gone"
        assert "Traceback" not in run.stderr
        assert client(made, "shutdown", "--wait", "50").returncode == 0


def test_a_killed_runtime_leaves_nothing_and_the_next_start_knows_of_it(folder: Path) -> None:
    made = made_in(folder)
    with running_there(made) as run:
        wait_until(lambda: run.service("db")["state"] == "ready", what="the service")
        record = made.app_data / "runtime" / "instance.json"
        wait_until(lambda: b'"db"' in record.read_bytes(), what="the record of the service")
        run.kill(signal.SIGKILL)
        run.wait_gone()
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert not record.exists()
