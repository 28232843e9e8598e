"""What lies in app-data may be in the way: a sentence says so, and nothing is left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from bundlevisor.control.run import admission
from bundlevisor.control.run.admission import StartRefused
from tests.bundle_maker import Bundle, Run, bundle, bundlevisor, running, starting, wait_until

CANNOT_START = 1

posix = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")

STAYS = {"lock", "last_end.json"}


def refused(made: Bundle) -> str:
    """Start the bundle, which must not come up; return what it says."""
    with starting(made) as run:
        assert run.wait_gone() == CANNOT_START
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert "Traceback" not in run.stderr
        return run.stderr


@pytest.mark.parametrize("name", ["auth-token", "ipc_port"])
def test_a_folder_in_the_place_of_a_file_is_named_and_no_token_stays(
    tmp_path: Path, name: str
) -> None:
    made = bundle(tmp_path).service("db").write()
    runtime = made.app_data / "runtime"
    (runtime / name / "inside").mkdir(parents=True)
    assert f"cannot start: {runtime / name}: " in refused(made)
    wait_until(
        lambda: not {path.name for path in runtime.iterdir() if path.is_file()} - STAYS,
        what="no file left",
    )


def test_a_folder_that_cannot_be_made_says_what_it_was_for_and_how_to_name_another(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("db").write()
    made.app_data.write_text("a file in its place")
    said = refused(made)
    assert f"cannot start: {made.app_data}: " in said
    assert f"it belongs to the app-data folder {made.app_data}" in said
    assert "name another folder by --app-data" in said


def test_a_bundle_root_that_is_no_folder_is_named_before_any_service_is_started(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("db").write()
    elsewhere = tmp_path / "old" / "version"
    ran = bundlevisor(
        *("run", "--manifest", str(made.path), "--app-data", str(made.app_data)),
        *("--bundle-root", str(elsewhere)),
    )
    assert ran.returncode == CANNOT_START
    assert f"cannot start: --bundle-root {elsewhere} is no folder: " in ran.stderr
    assert not (made.app_data / "logs").exists()


@posix
@pytest.mark.parametrize("path", ["runtime/auth-token", "telemetry/events.jsonl"])
def test_a_link_that_leads_out_is_refused_in_a_sentence(tmp_path: Path, path: str) -> None:
    made = bundle(tmp_path).service("db").write()
    place = made.app_data / path
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere")
    said = refused(made)
    assert f"path '{path}' leads out of {made.app_data} by a link" in said
    assert said.count("telemetry.file: ") + said.count("ipc.auth_token_path: ") == 1
    assert not (tmp_path / "elsewhere").exists()


@posix
def test_a_link_by_which_two_files_are_one_is_refused(tmp_path: Path) -> None:
    made = bundle(tmp_path).set(telemetry={"file": "events/auth-token"}).service("db").write()
    (made.app_data / "runtime").mkdir(parents=True)
    (made.app_data / "events").symlink_to("runtime")
    said = refused(made)
    assert "telemetry.file: the path 'runtime/auth-token' is the path of another file" in said
    assert {path.name for path in (made.app_data / "runtime").iterdir()} <= STAYS


@posix
def test_a_log_that_a_link_leads_out_fails_its_service_and_only_that(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").service("api", log_dir="linked/logs").write()
    outside = tmp_path / "outside"
    outside.mkdir()
    made.app_data.mkdir()
    (made.app_data / "linked").symlink_to(outside)
    with running(made) as run:
        wait_until(lambda: state(run, "api") == "failed" and state(run, "db") == "ready")
        assert "leads out of" in run.service("api")["message"]
        assert list(outside.iterdir()) == []
        found = run.get("/validate").json()["errors"]
        assert [one["path"] for one in found] == ["services[1].log_dir"]


def state(run: Run, service_id: str) -> str:
    return str(run.service(service_id)["state"])


def test_the_root_of_a_file_system_is_no_app_data() -> None:
    """A script that meant a folder which was not set; asked here, so that nothing is put there."""
    root, console = os.path.abspath(os.sep), Mock()
    with pytest.raises(StartRefused) as refusal:
        admission._make(root, console)
    assert (refusal.value.code, refusal.value.app_data) == (CANNOT_START, "")
    (said,) = console.error.call_args.args
    assert said.startswith(f"cannot start: --app-data {root} is the root of a file system")
