"""A disk that takes no more: every message names the file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.actors.files import atomic
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.testing import faults
from bundlevisor.testing.events import read_events
from tests import absent
from tests.bundle_maker import bundle, running, wait_until
from tests.installed import COMMAND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")

WRITE = """
import resource, sys
from bundlevisor.actors.files import atomic
from bundlevisor.actors.files.own_file import error_text
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
try:
    atomic.write(sys.argv[1], b"x" * 100)
except OSError as error:
    print(error_text(error))
    print(error)
"""


def test_a_file_that_cannot_be_written_is_named_not_the_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(path)], capture_output=True, text=True, check=True
    )
    sentence, plain = done.stdout.splitlines()
    assert sentence == f"{path}: File too large"
    assert plain.endswith(f"File too large: '{path}'")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_into_is_told_by_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file") as raised:
        atomic.write(str(tmp_path / "file" / "state.json"), b"x")
    assert str(tmp_path / "file") in error_text(raised.value)


def test_files_that_could_not_be_copied_are_named(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "gone").symlink_to("nowhere")
    with pytest.raises(shutil.Error) as raised:
        shutil.copytree(tmp_path / "from", tmp_path / "to")
    assert str(tmp_path / "from" / "gone") in error_text(raised.value)


def test_a_start_on_a_full_disk_names_the_file(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    arguments = ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert (
        f"cannot start: {made.app_data / 'runtime' / 'auth-token'}: File too large" in done.stderr
    )
    assert "Errno" not in done.stderr


@absent.unless(hasattr(os, "geteuid") and os.geteuid() == 0, "root, who may mount")
def test_what_a_log_lost_last_stands_in_it_at_the_end(tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    made = bundle(tmp_path).service("db", "speaks", ports=(), options={"orders": orders}).write()
    with faults.small_disk(made.app_data / "logs") as logs, running(made) as run:
        run.until_ready()
        filler = faults.fill(logs)
        orders.write_text(f"print {'x' * 9_999}\n")
        wait_until(lambda: "db.log: No space left" in run.stderr, what="a word on the disk")
        filler.unlink()
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
        assert "bytes lost: No space left on device]\n" in run.log("db")


@absent.unless(hasattr(os, "geteuid") and os.geteuid() == 0, "root, who may mount")
def test_the_end_is_on_record_where_not_even_that_had_room(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with faults.small_disk(made.app_data), running(made) as run:
        run.until_ready()
        faults.fill(made.app_data)

        def is_full() -> bool:
            run.post("/services/db/restart?wait=30")
            return "telemetry file" in run.stderr

        wait_until(is_full, what="an event that finds no room")
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
        path = made.app_data / made.document["telemetry"]["file"]
        assert read_events(path)[-1]["event"] == "runtime_shutdown"
