"""What is made under app-data is for the user alone, whatever the umask."""

from __future__ import annotations

import json
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import bundle, bundlevisor, running, starting, wait_until
from tests.installed import COMMAND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")

WAITS = "import time\ntime.sleep(1000)\n"


def open_to_others(folder: Path) -> list[Path]:
    """Return what others may use of a folder and all in it; what goes meanwhile is passed over."""
    found = []
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):  # half written when it was listed, and has its name now
            if stat.S_IMODE(path.lstat().st_mode) & 0o077:
                found.append(path)
    return found


def closed_to_us(folder: Path) -> list[Path]:
    """Return what the user may not read or write himself."""
    found = []
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            mode = path.lstat().st_mode
            needed = 0o700 if stat.S_ISDIR(mode) else 0o600
            if needed & ~mode:
                found.append(path)
    return found


@pytest.mark.permissions
@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777])
def test_app_data_and_all_in_it_is_private(tmp_path: Path, mask: int) -> None:
    made = bundle(tmp_path)
    secret = {"id": "k", "class": "per_install_generated", "target": {"type": "file", "name": "k"}}
    made.set(secrets=[secret]).script("bin/migrate", "").script("bin/waits", WAITS)
    step = {"version": "1", "command": ["bin/migrate"]}
    more: dict[str, Any] = {"data_dirs": ["data/deep/db"], "secrets": ["k"], "migrations": [step]}
    made.service("db", "bin/waits", ports=(), **more).write()
    masked = ("sh", "-c", f'umask {mask:o}; exec "$0" "$@"', *COMMAND)
    with starting(made, command=masked) as run:
        run.await_listening()
        run.until_ready()
        run.until_on_record()
        assert open_to_others(made.app_data) == []
        # a file is made with the mask of the user, and opened to him then
        wait_until(lambda: not closed_to_us(made.app_data), what="all to be ours")
        run.until_said("db is ready")
        assert "can be written by" not in run.stderr


@pytest.mark.parametrize("name", ["", "runtime"])
def test_app_data_that_others_can_write_in_is_warned_of(tmp_path: Path, name: str) -> None:
    made = bundle(tmp_path).service("db").write()
    (made.app_data / name).mkdir(parents=True)
    (made.app_data / name).chmod(0o777)
    with running(made) as run:
        run.until_ready()
        run.until_said("ready after ")
        assert run.stderr.count("can be written by others (mode 0777)") == 1
        found = bundlevisor("validate", "--json", "--manifest", str(made.path),
                            "--app-data", str(made.app_data))  # fmt: skip
        codes = [one["code"] for one in json.loads(found.stdout)["warnings"]]
        assert codes == ["app_data_open"]
