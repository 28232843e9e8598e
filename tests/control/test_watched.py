"""Which files belong to a service, as far as its bundle tells."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.control.run.bundle import Bundle as Planned
from bundlevisor.control.run.launch_specs import launch_specs
from bundlevisor.control.run.options import RunOptions
from bundlevisor.control.watch import watched as watched_files
from bundlevisor.control.watch.watched import watched
from bundlevisor.manifest.plan.command import spelled
from bundlevisor.manifest.read import load
from tests.bundle_maker import Bundle, bundle


def of(made: Bundle, *overlays: str) -> dict[str, list[str]]:
    """Return what is watched of each service, from the bundle on."""
    made.write()
    loaded = load.read(str(made.path), overlays=overlays)
    assert loaded.manifest is not None, loaded.findings.errors
    options = RunOptions(manifest=str(made.path))
    specs = launch_specs(Planned(loaded.manifest, loaded, options, str(made.app_data), "x"))
    return {
        id_: [shown(path, made.root).removesuffix(".cmd") for path in paths]
        for id_, paths in watched(specs).items()
    }


def shown(path: str, folder: Path) -> str:
    with contextlib.suppress(ValueError):  # on another drive
        path = os.path.relpath(path, folder)
    return path.replace(os.sep, "/")


def runs(path: str, *args: str, cwd: str = "") -> dict[str, Any]:
    return {"universal": {"path": path, "args": list(args), "cwd": cwd}}


def test_a_folder_that_services_share_is_nobodys(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("a").service("b")
    assert of(made) == {"a": ["bin/a"], "b": ["bin/b"]}


def test_a_folder_of_its_own_is_a_services(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("a/run", "").script("b/deep/run", "").script("b/run", "")
    made.service("a", binaries=runs("a/run")).service("b", binaries=runs("b/run"))
    assert of(made) == {"a": ["a/run", "a"], "b": ["b/run", "b"]}
    made.service("c", binaries=runs("b/deep/run"))
    assert of(made) == {"a": ["a/run", "a"], "b": ["b/run"], "c": ["b/deep/run", "b/deep"]}


def test_files_of_arguments_and_the_working_folder_count(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/x", "").file("api/main.py", "").file("jobs/all.py", "")
    made.service("api", binaries=runs("bin/x", "${bundle}/api/main.py", "--main.py"))
    made.service("jobs", binaries=runs("bin/x", "all.py", cwd="jobs"))
    assert of(made) == {
        "api": ["bin/x", "api/main.py", "api"],
        "jobs": ["bin/x", "jobs/all.py", "jobs"],
    }


def test_what_a_program_writes_elsewhere_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "out.log").touch()
    (tmp_path / "main.py").touch()
    made = bundle(tmp_path).script("bin/x", "").service("a", binaries=runs("bin/x", "../out.log"))
    assert of(made) == {"a": ["bin/x", "bin"]}
    outside = json.dumps({"path": sys.executable, "args": ["-I", "../main.py", "../out.log"]})
    overlay = made.root / "dev.json"
    overlay.write_text(f'{{"services": {{"a": {{"binaries": {{"universal": {outside}}}}}}}}}')
    assert of(made, str(overlay))["a"][1:] == ["../main.py"]


def test_the_bundle_as_a_whole_is_no_services(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("run", "").service("a", binaries=runs("run"))
    assert of(made) == {"a": ["run"]}


def test_assets_count_and_metadata_says_it_better(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("a/run", "").file("models/x.bin", "")
    fields: dict[str, Any] = {"binaries": runs("a/run"), "assets": [{"path": "models"}]}
    assert of(made.service("a", **fields)) == {"a": ["a/run", "models", "a"]}
    made.service("a", metadata={"watch": ["../src", 3, "x\0"]}, **fields)
    assert of(made) == {"a": ["a/run", "models", "../src"]}


def test_windows_has_a_program_watched_with_its_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_files, "spelled", partial(spelled, windows=True))
    made = bundle(tmp_path).file("bin/x.exe", "").script("bin/y", "")
    made.service("a", binaries=runs("bin/x")).service("b", binaries=runs("bin/y"))
    assert of(made) == {"a": ["bin/x.exe"], "b": ["bin/y"]}


def test_pages_are_left_to_what_serves_them(tmp_path: Path) -> None:
    made = bundle(tmp_path).file("ui/index.html", "").script("vite/run", "")
    made.service("page", type="ui-bundle", binaries=runs("ui"))
    made.service("vite", type="ui-bundle", binaries=runs("vite/run"))
    assert of(made) == {"vite": ["vite/run"]}
