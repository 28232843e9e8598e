"""Links in app-data that lead one file to another: the same rule, by where they lead."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.launch.places import look
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read.load import parse

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")


def manifest(telemetry: str = "telemetry/t.jsonl", **service: Any) -> Manifest:
    document = {
        "schema_version": "v0.1",
        "target": "desktop",
        "app": {"name": "app", "version": "1"},
        "ipc": {
            "mode": "http", "host": "127.0.0.1", "port": 0, "auth_token_path": "runtime/token",
        },
        "telemetry": {"file": telemetry},
        "secrets": [
            {"id": "key", "class": "user_prompt", "target": {"type": "file", "name": "keys/k"}}
        ],
        "services": [{"id": "one", "binaries": {"universal": {"path": "x"}}, **service}],
    }  # fmt: skip
    loaded = parse(json.dumps(document).encode())
    assert loaded.manifest is not None, loaded.findings
    return loaded.manifest


def found(made: Manifest, app_data: Path) -> list[tuple[str, str]]:
    seen = look(made, str(app_data), "/somewhere/else", minds_case=True)
    return [(one.code, one.path) for one in (*seen.errors, *seen.service_errors)]


def test_without_links_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "telemetry").mkdir()
    assert found(manifest(), tmp_path) == []


def test_a_folder_that_leads_to_the_runtime_s_own(tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "telemetry").symlink_to("runtime")
    assert found(manifest(), tmp_path) == []
    assert found(manifest("telemetry/lock"), tmp_path) == [("path_taken", "telemetry.file")]
    assert found(manifest("telemetry/x/../token"), tmp_path) == [("path_taken", "telemetry.file")]


def test_a_link_to_app_data_itself(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(".")
    assert found(manifest("here/secrets.json"), tmp_path) == [("path_taken", "telemetry.file")]


def test_data_that_leads_into_a_file_s_place(tmp_path: Path) -> None:
    (tmp_path / "keys" / "k").mkdir(parents=True)
    (tmp_path / "data").symlink_to("keys/k")
    made = manifest(data_dirs=["data"], secrets=["key"])
    assert found(made, tmp_path) == [("path_shared", "secrets[0].target.name")]


def test_a_service_s_log_fails_only_its_service(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(".")
    seen = look(manifest(log_dir="out/secrets.json"), str(tmp_path), "/else", minds_case=True)
    assert [(one.code, one.service) for one in seen.service_errors] == [("path_taken", "one")]


def test_a_token_that_leads_out(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "runtime").symlink_to(tmp_path)
    assert ("path_escapes_root", "ipc.auth_token_path") in found(manifest(), tmp_path / "app")


def test_a_file_whose_name_is_its_folder_s(tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "lock").symlink_to("runtime")
    assert found(manifest("lock/lock"), tmp_path) == [("path_taken", "telemetry.file")]


@pytest.mark.parametrize("folder", ["", "inside"])
def test_the_files_of_a_bundle_in_app_data_are_not_written_over(
    tmp_path: Path, folder: str
) -> None:
    root = tmp_path / folder
    for name in ("bundle.json", "x", "models/small"):
        made = manifest(f"{folder}/{name}".lstrip("/"), assets=[{"path": "models"}])
        seen = look(made, str(tmp_path), str(root), minds_case=True)
        expected = [] if name.startswith("models") else [("path_taken", "telemetry.file")]
        assert [(one.code, one.path) for one in seen.errors] == expected
    seen = look(manifest("models"), str(tmp_path), str(root), minds_case=True)
    assert seen.ok


def test_a_link_to_where_the_default_logs_lie(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "telemetry").symlink_to("logs")
    assert found(manifest("telemetry/one.log"), tmp_path) == [("path_taken", "telemetry.file")]
    assert found(manifest("telemetry/two.log"), tmp_path) == []
