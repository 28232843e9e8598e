"""Overlays of developers: programs and folders that lie outside of the bundle."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.plan.launch import DevelopedBinary
from bundlevisor.manifest.read import load
from bundlevisor.manifest.read.overlay import merge
from tests.bundle_maker import bundle
from tests.manifest.overlays import manifest, read


@pytest.mark.parametrize(
    "services",
    [
        3,
        [3, None],
        {"db": 3},
        {"db": {"binaries": 3}},
        {"db": {"binaries": [3]}},
        {"db": {"binaries": {"universal": 3}}},
        {"db": {"binaries": {"universal": {"path": 3, "cwd": None}}}},
        {"db": {"binaries": {"universal": {"path": "../a\0b"}}}},
        {"db": {"binaries": {"universal": {"path": "a\0b"}}}},
    ],
)
def test_programs_that_are_none_are_left_to_the_reader(tmp_path: Path, services: Any) -> None:
    loaded = read(tmp_path, {"services": services})
    assert loaded.findings.errors
    assert {Path(one.file).name for one in loaded.findings.errors} == {"dev0.json"}


def test_programs_are_looked_for_from_where_the_overlay_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the bundle, nor from where the command was given."""
    for folder in ("bundle/bin", "mine", "tools"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bundle" / "bin" / "there").touch()
    for name in ("there", "tool", "bin"):
        (tmp_path / "tools" / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    monkeypatch.chdir(tmp_path / "tools")
    binaries = {
        "a": {"path": "..\\target\\x", "cwd": "tool"},
        "b": {"path": "bin/there", "cwd": ".."},
        "c": {"path": "tool", "cwd": "..x"},
        "d": {"path": str(tmp_path / "a" / ".." / "b"), "cwd": "sub"},
        "e": {"path": "bin"},
        "f": {"path": "nowhere", "cwd": ""},
    }
    overlay = {"services": [{"id": "db", "binaries": binaries}]}
    path = tmp_path / "mine" / "dev.json"
    path.write_text(json.dumps(overlay))
    source = b'{"services": [{"id": "db"}]}'
    made = merge(
        str(tmp_path / "bundle" / "bundle.json"), source, [os.path.join("..", "mine", "dev.json")]
    )
    (service,) = json.loads(made.source)["services"]
    outside = {"x": str(tmp_path / "target" / "x"), "b": str(tmp_path / "b"), "..": str(tmp_path)}
    tool = str(tmp_path / "tools" / "tool")
    assert service["binaries"] == {
        "a": {"path": outside["x"], "cwd": "tool"},
        "b": {"path": "bin/there", "cwd": outside[".."]},
        "c": {"path": tool, "cwd": "..x"},
        "d": {"path": outside["b"], "cwd": "sub"},
        "e": {"path": "bin"},
        "f": {"path": "nowhere", "cwd": ""},
    }
    assert made.outside == {*outside.values(), tool}


def test_a_binary_is_a_developers_when_one_of_its_places_lies_outside(tmp_path: Path) -> None:
    changed = manifest(
        tmp_path,
        {"services": {"db": {"binaries": {"universal": {"path": "x", "cwd": "../src"}}}}},
        {"services": {"api": {"binaries": {"universal": {"path": "../x", "args": ["a"]}}}}},
    )
    db, api = (changed.service(id_).binaries["universal"] for id_ in ("db", "api"))
    assert db == DevelopedBinary(path="x", cwd=str(tmp_path / "src"))
    assert api == DevelopedBinary(path=str(tmp_path / "x"), args=["a"])
    assert not any(
        isinstance(one, DevelopedBinary) for one in changed.service("web").binaries.values()
    )


def test_programs_may_lie_beside_the_bundle_or_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    word = os.path.basename(sys.executable)
    binaries = [
        {"path": "../target/api", "cwd": "../src"},
        {"path": word, "args": ["-m", "x"]},
        {"path": "bin/db"},
    ]
    services = {
        id_: {"binaries": {"universal": one}}
        for id_, one in zip(("api", "web", "db"), binaries, strict=True)
    }
    changed = manifest(tmp_path, {"services": services})
    api, web, db = (changed.service(id_).binaries["universal"] for id_ in services)
    assert (api.path, api.cwd) == (str(tmp_path / "target" / "api"), str(tmp_path / "src"))
    assert web.path == str(Path(sys.executable).parent / word)
    assert isinstance(web, DevelopedBinary)
    assert db.path == "bin/db"
    assert not isinstance(db, DevelopedBinary)


def test_the_bundle_itself_may_not_lead_out(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").service("api").write()
    document = json.loads(made.path.read_text())
    document["services"][1]["binaries"] = {"universal": {"path": "../target/api"}}
    made.path.write_text(json.dumps(document))
    overlay = tmp_path / "dev.json"
    overlay.write_text('{"services": {"db": {"binaries": {"universal": {"path": "../x"}}}}}')
    loaded = load.read(str(made.path), overlays=[str(overlay)])
    assert [(one.file, one.code) for one in loaded.findings.errors] == [("", "path_escapes_root")]
