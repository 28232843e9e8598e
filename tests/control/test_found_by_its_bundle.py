"""How the client finds the instance by its bundle, also by one that has become wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bundlevisor.actors.files import endpoint
from bundlevisor.manifest.format import paths
from tests.control.commands import Run, bundle_of, record
from tests.control.wire import Api


def test_an_instance_is_found_by_its_bundle(
    run: Run, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(bundle_of(auth_token_path="keys/token")))
    app_data = Path(paths.app_data_folder("Notes", os.environ))
    endpoint.write_port(str(app_data), api.port)
    endpoint.write_token(str(app_data / "keys" / "token"), api.token)
    assert run("health", "--manifest", str(bundle)) == (0, "ok\n", "")
    monkeypatch.chdir(tmp_path)
    assert run("health") == (0, "ok\n", "")


def test_a_bundle_that_cannot_be_read_names_no_instance(run: Run, tmp_path: Path) -> None:
    code, _, err = run("status", "--manifest", str(tmp_path / "none.json"))
    assert code == 2
    assert "--app-data" in err


def test_a_bundle_that_has_become_wrong_still_names_the_instance_that_runs(
    run: Run, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    bundle = tmp_path / "bundle.json"
    wrong = bundle_of() | {"services": [{"id": "api", "dependencies": ["nobody"], "critical": 3}]}
    bundle.write_text(json.dumps(wrong))
    code, _, err = run("health", "--manifest", str(bundle))
    assert code == 2, "nothing runs there: what is wrong with the bundle is what there is to say"
    assert "services[0].critical" in err
    record(Path(paths.app_data_folder("Notes", os.environ)), api.port)
    assert run("health", "--manifest", str(bundle)) == (0, "ok\n", "")
    bundle.write_text(json.dumps(wrong | {"app": {"name": 3, "version": "1"}}))
    code, _, err = run("health", "--manifest", str(bundle))
    assert code == 2
    assert "app.name must be a string" in err
