"""Overlays: what they change in a bundle, and where a mistake in one is said to be."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.plan.launch import DevelopedBinary
from bundlevisor.manifest.read import load
from bundlevisor.manifest.read.load import Loaded
from bundlevisor.manifest.read.origins import Origins, told_of_removal
from bundlevisor.manifest.read.overlay import merge
from tests.bundle_maker import bundle

Written = dict[str, Any]


def read(folder: Path, *overlays: Written | str) -> Loaded:
    made = (
        bundle(folder)
        .service("db", env={"A": "1", "B": "2"})
        .service("api", deps=["db"], ports={"http": {}, "admin": {}})
        .service("web", deps=["api"])
        .write()
    )
    paths = []
    for number, overlay in enumerate(overlays):
        path = folder / "bundle" / f"dev{number}.json"
        path.write_text(overlay if isinstance(overlay, str) else json.dumps(overlay))
        paths.append(str(path))
    return load.read(str(made.path), overlays=paths)


def manifest(folder: Path, *overlays: Written) -> Any:
    loaded = read(folder, *overlays)
    assert loaded.findings.errors == ()
    return loaded.manifest


def places(loaded: Loaded) -> list[tuple[str, str]]:
    assert loaded.manifest is None
    return [(Path(one.file).name, one.path) for one in loaded.findings.errors]


def test_objects_are_merged_scalars_and_lists_replaced_and_null_removes(tmp_path: Path) -> None:
    db = {"id": "db", "env": {"B": "3", "A": None, "C": "4"}, "data_dirs": ["x"]}
    changed = manifest(tmp_path, {"app": {"version": "2.0.0"}, "services": [db]})
    assert (changed.app.name, changed.app.version) == ("test-bundle", "2.0.0")
    assert changed.service("db").env == {"B": "3", "C": "4"}
    assert changed.service("db").data_dirs == ["x"]
    assert [one.id for one in changed.services] == ["db", "api", "web"]


def test_services_and_ports_may_be_written_by_their_names_and_be_removed(tmp_path: Path) -> None:
    ports = {"requested": {"admin": None, "http": {"range": {"min": 5000, "max": 5001}}}}
    changed = manifest(tmp_path, {"services": {"web": None, "api": {"ports": ports}}})
    assert [one.id for one in changed.services] == ["db", "api"]
    (only,) = changed.service("api").port_requests
    assert (only.name, only.range.min) == ("http", 5000)


def test_what_the_bundle_has_not_is_added(tmp_path: Path) -> None:
    mail = {"binaries": {"universal": {"path": "bin/db"}}, "secrets": ["key"]}
    secret = {"id": "key", "class": "user_prompt", "target": {"type": "env"}}
    changed = manifest(tmp_path, {"services": {"mail": mail}, "secrets": [secret]})
    assert changed.service("mail").secrets == ["key"]
    assert [one.id for one in changed.secrets] == ["key"]


def test_overlays_are_applied_in_their_order(tmp_path: Path) -> None:
    first = {"services": {"db": {"env": {"A": "x"}}, "new": {"type": "worker"}}}
    second = {"services": {"db": {"env": {"A": "y"}}, "new": None}}
    changed = manifest(tmp_path, first, second)
    assert changed.service("db").env["A"] == "y"
    assert [one.id for one in changed.services] == ["db", "api", "web"]


def test_a_universal_binary_stands_for_every_platform(tmp_path: Path) -> None:
    changed = manifest(tmp_path, {"services": {"db": {"binaries": {"universal": {"path": "x"}}}}})
    assert list(changed.service("db").binaries) == ["universal"]


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


@pytest.mark.parametrize(
    ("overlay", "place"),
    [
        ({"services": {"api": {"health": {"type": "htp"}}}}, "services.api.health.type"),
        ({"services": [{"id": "web", "dependencies": ["nobody"]}]}, "services[0].dependencies[0]"),
        ({"services": [{"id": "new", "critical": 3}]}, "services[0].critical"),
        (
            {"services": {"api": {"ports": {"requested": [{"name": "http", "range": 3}]}}}},
            "services.api.ports.requested[0].range",
        ),
        ({"services": [{"type": "worker"}]}, "services[0]"),
        ({"services": {"api": 3}}, "services.api"),
        ({"app": {"version": ""}}, "app.version"),
        ("[]", ""),
        ("{", ""),
        ('{"app": {}, "app": {}}', "app"),
    ],
)
def test_a_mistake_is_said_to_be_where_it_was_written(
    tmp_path: Path, overlay: Written | str, place: str
) -> None:
    loaded = read(tmp_path, {"services": {"db": {"env": {"X": "y"}}}}, overlay)
    assert places(loaded) == [("dev1.json", place)]
    assert all(not one.message.startswith("services[2]") for one in loaded.findings.errors)


def test_what_misses_something_that_an_overlay_removes_says_so(tmp_path: Path) -> None:
    loaded = read(tmp_path, {"services": {"db": None}})
    assert places(loaded) == [("", "services[0].dependencies[0]")]
    (error,) = loaded.findings.errors
    assert error.message.endswith("dev0.json removes it.")


def test_a_missing_overlay_is_named(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    loaded = load.read(str(made.path), overlays=[str(tmp_path / "dev.json")])
    (error,) = loaded.findings.errors
    assert (error.code, error.file) == ("manifest_missing", str(tmp_path / "dev.json"))


def test_a_mistake_of_the_bundle_stays_one_of_the_bundle(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", health={"type": "htp"}).write()
    overlay = tmp_path / "dev.json"
    overlay.write_text('{"services": {"db": {"env": {"A": "1"}}}}')
    loaded = load.read(str(made.path), overlays=[str(overlay)])
    assert [(one.file, one.path) for one in loaded.findings.errors] == [
        ("", "services[0].health.type")
    ]


@pytest.mark.parametrize("source", [b"{", b'{"a": "\xff"}', b"[" * 100_000])
def test_a_bundle_that_cannot_be_read_is_left_to_its_reader(tmp_path: Path, source: bytes) -> None:
    merged = merge(str(tmp_path / "bundle.json"), source, [str(tmp_path / "dev.json")])
    assert merged.source == source
    assert merged.findings == Findings()


def test_findings_without_overlays_and_those_of_a_file_stay_where_they_are(tmp_path: Path) -> None:
    told = Findings(warnings=(Finding("x", "services[0]", "a sentence"),))
    assert read(tmp_path).placed(told) == told
    assert read(tmp_path).and_found(told).findings.warnings[-1:] == told.warnings
    own = Finding("x", "", "a sentence", file="dev0.json")
    overlaid = read(tmp_path, {"app": {"version": "2.0.0"}})
    assert overlaid.placed(Findings(warnings=(own,))).warnings == (own,)
    assert own.told() == "dev0.json: a sentence"
    assert Finding("x", "app", "a word", file="dev0.json").told() == "dev0.json: app: a word"


def test_only_what_misses_a_removed_one_says_who_removed_it() -> None:
    origins = Origins({})
    origins.removed = {("secrets", "db"): "a.json", ("services", "db"): "b.json"}
    missing = Finding("unknown_dependency", "services[0]", "there is no service 'db'.")
    said = told_of_removal(missing, origins)
    assert said.message == "there is no service 'db': b.json removes it."
    for other in (
        Finding("unknown_dependency", "services[0]", "there is no service 'web'."),
        Finding("unknown_field", "services[0]", "'db' is no field."),
    ):
        assert told_of_removal(other, origins) == other
