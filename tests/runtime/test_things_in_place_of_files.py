"""A link, a hard link, a pipe, a folder or a device in the place of every file of ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bundlevisor.manifest.format.app_data import FILES
from tests.actors.files.test_own_file import Plant, device, folder, link, pipe, second_name
from tests.bundle_maker import Bundle, bundle, bundlevisor, running, starting, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what POSIX has in folders")

LOCK, TOKEN, PORT, KEY = "runtime/lock", "runtime/auth-token", "runtime/ipc_port", "keys/key"
SECRETS = "secrets.json"
NAMES = (
    *(name for name in FILES if name != LOCK),
    *(TOKEN, KEY, "telemetry/events.jsonl", "telemetry/events.jsonl.1"),
    *("logs/db.log", "logs/db.log.1", "logs/db.log.2"),
)
PLANTS = [link, second_name, pipe, folder, device]
CANNOT_START = 1
PRECIOUS = b"precious\n"


def made_in(tmp_path: Path) -> Bundle:
    secret = {"id": "key", "class": "per_install_generated"}
    made = bundle(tmp_path).service("db", secrets=["key"]).script("bin/migrate", "")
    step = {"version": "1", "command": ["bin/migrate"]}
    asset = {"path": "bin/migrate", "sha256": "0" * 64}
    made.service("api", migrations=[step], assets=[asset])
    return made.set(secrets=[{**secret, "target": {"type": "file", "name": KEY}}]).write()


def plant_all(made: Bundle, plant: Plant, names: tuple[str, ...]) -> list[Path]:
    """Put one in the place of each file; return what must stay as it is."""
    precious = []
    for number, name in enumerate(names):
        other, place = made.app_data / f"precious-{number}", made.app_data / name
        made.app_data.mkdir(exist_ok=True)
        other.write_bytes(PRECIOUS)
        place.parent.mkdir(parents=True, exist_ok=True)
        plant(place, other)
        precious.append(other)
    return precious


@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_is_waited_for_or_written_through(tmp_path: Path, plant: Plant) -> None:
    made = made_in(tmp_path)
    in_the_way = (TOKEN, PORT, KEY, SECRETS) if plant is folder else ()
    precious = plant_all(made, plant, tuple(name for name in NAMES if name not in in_the_way))
    with running(made) as run:
        wait_until(lambda: run.service("api")["state"] == "failed", what="the asset's sum")
        if plant in (folder, link, second_name):
            run.kill(15)
        else:
            assert run.service("db")["state"] != "ready"  # its secret cannot be read
            run.until_said(str(made.app_data / SECRETS))
            run.kill(15)
        assert run.wait_gone() == 0
        assert "Traceback" not in run.stderr
    assert [path for path in precious if path.read_bytes() != PRECIOUS] == []


@pytest.mark.parametrize("plant", PLANTS)
def test_a_lock_that_is_something_else_is_refused(tmp_path: Path, plant: Plant) -> None:
    made = bundle(tmp_path).service("db").write()
    precious = plant_all(made, plant, (LOCK,))
    with starting(made) as run:
        assert run.wait_gone() == CANNOT_START
        assert f"cannot lock {made.app_data / LOCK}: it " in run.stderr
    assert [path.read_bytes() for path in precious] == [PRECIOUS]


@pytest.mark.parametrize("plant", PLANTS)
def test_clients_do_not_wait_for_them(tmp_path: Path, plant: Plant) -> None:
    made = bundle(tmp_path).service("db").write()
    plant_all(made, plant, ("runtime/instance.json", PORT, TOKEN, "logs/db.log"))
    for command in ("status", "ready", "shutdown"):
        done = bundlevisor(command, "--app-data", str(made.app_data))
        assert done.returncode not in (0, 2)
        assert "Traceback" not in done.stderr
