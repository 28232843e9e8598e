"""Overlays: what they change in a bundle, and where a mistake in one is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.read import load
from bundlevisor.manifest.read.load import Loaded
from bundlevisor.manifest.read.origins import Origins, told_of_removal
from bundlevisor.manifest.read.overlay import merge
from tests.bundle_maker import bundle
from tests.manifest.overlays import Written, manifest, merged, read


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


def test_ports_may_be_written_by_their_names_where_the_bundle_has_none(tmp_path: Path) -> None:
    ports = {"ports": {"requested": {"http": {"range": {"min": 5000, "max": 5001}}, "x": None}}}
    changed = manifest(tmp_path, {"services": {"db": ports, "new": ports}})
    for id_ in ("db", "new"):
        (only,) = changed.service(id_).port_requests
        assert (only.name, only.range.max) == ("http", 5001)


def test_overlays_are_applied_in_their_order(tmp_path: Path) -> None:
    first = {"services": {"db": {"env": {"A": "x"}}, "new": {"type": "worker"}}}
    second = {"services": {"db": {"env": {"A": "y"}}, "new": None}}
    changed = manifest(tmp_path, first, second)
    assert changed.service("db").env["A"] == "y"
    assert [one.id for one in changed.services] == ["db", "api", "web"]


def test_a_universal_binary_stands_for_every_platform(tmp_path: Path) -> None:
    changed = manifest(tmp_path, {"services": {"db": {"binaries": {"universal": {"path": "x"}}}}})
    assert list(changed.service("db").binaries) == ["universal"]


def test_platforms_that_are_written_beside_universal_stay_and_no_others(tmp_path: Path) -> None:
    binaries = {"universal": {"path": "x"}, "win-x64": {"path": "y"}}
    changed = manifest(tmp_path, {"services": [{"id": "db", "binaries": binaries}]})
    assert {key: one.path for key, one in changed.service("db").binaries.items()} == {
        "universal": "x",
        "win-x64": "y",
    }
    assert len(changed.service("api").binaries) > 1
    more = manifest(tmp_path, {"services": {"db": {"binaries": {"win-x64": {"path": "y"}}}}})
    assert more.service("db").binaries.keys() > {"win-x64"}


def test_a_platform_is_the_same_by_any_of_its_names(tmp_path: Path) -> None:
    binaries = {"linux-amd64": {"args": ["x"]}, "macOS-aarch64": None, "windows-x64": {"path": "y"}}
    before = manifest(tmp_path).service("db").binaries
    after = manifest(tmp_path, {"services": {"db": {"binaries": binaries}}}).service("db").binaries
    assert set(after) == set(before) - {"darwin-arm64"}
    assert (after["linux-x64"].path, after["linux-x64"].args) == (before["linux-x64"].path, ["x"])
    assert (after["win-x64"].path, after["win-x64"].args) == ("y", before["win-x64"].args)


def test_universal_is_a_name_like_any_other_where_no_binaries_are(tmp_path: Path) -> None:
    first = {"binaries": {"a": 1}, "db": {"binaries": {"a": 1}, "env": {"a": 1}}}
    second = {"binaries": {"universal": 2}, "db": {"binaries": {"universal": 2}}}
    changed = manifest(tmp_path, {"metadata": first}, {"metadata": second})
    assert changed.metadata["binaries"] == {"a": 1, "universal": 2}
    assert changed.metadata["db"]["binaries"] == {"a": 1, "universal": 2}
    changed = manifest(tmp_path, {"services": {"db": {"env": {"universal": "3"}}}})
    assert changed.service("db").env == {"A": "1", "B": "2", "universal": "3"}


def test_null_leaves_nothing_behind_in_what_is_new(tmp_path: Path) -> None:
    deep = {"a": {"b": None, "c": [{"d": None}], "e": 0}, "f": None}
    changed = manifest(tmp_path, {"metadata": deep, "services": {"db": {"env": None}}})
    assert changed.metadata == {"a": {"c": [{"d": None}], "e": 0}}
    assert changed.service("db").env == {}
    assert manifest(tmp_path, {"app": {"description": None}}).app.description == ""
    new = {"binaries": {"universal": {"path": "x"}}, "env": None, "metadata": {"a": None, "b": 1}}
    changed = manifest(tmp_path, {"services": {"new": new}})
    assert changed.service("new").metadata == {"b": 1}


def test_an_item_is_the_first_of_its_name_and_removed_are_all(tmp_path: Path) -> None:
    """A bundle that has a name twice is refused all the same, unless the overlay removes both."""
    source = json.dumps({"services": [{"id": "a"}, 3, {"id": "a"}, {"id": "b"}, {}]}).encode()
    changed = merged(tmp_path, source, {"services": [{"id": "a", "x": 1}]})
    assert changed["services"] == [{"id": "a", "x": 1}, 3, {"id": "a"}, {"id": "b"}, {}]
    changed = merged(tmp_path, source, {"services": {"a": None, "none": None}})
    assert changed["services"] == [3, {"id": "b"}, {}]


def test_a_list_that_the_bundle_writes_wrongly_is_left_to_its_reader(tmp_path: Path) -> None:
    overlay = {"services": {"a": {"type": "worker"}}, "secrets": [{"id": "k"}]}
    wrongly: tuple[object, ...] = ({"a": {}}, "a", 0, False)
    for wrong in wrongly:
        source = json.dumps({"services": wrong}).encode()
        assert merged(tmp_path, source, overlay) == {"services": wrong, "secrets": [{"id": "k"}]}
    assert merged(tmp_path, b'{"services": null}', {"services": {"a": {}}}) == {
        "services": [{"id": "a"}]
    }


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
        (
            {"services": {"new": {"ports": {"requested": {"http": {"range": {"min": 1}}}}}}},
            "services.new.ports.requested.http.range.max",
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
    origins = Origins()
    origins.removed = {("secrets", "db"): "a.json", ("services", "db"): "b.json"}
    missing = Finding("unknown_dependency", "services[0]", "there is no service 'db'.")
    said = told_of_removal(missing, origins)
    assert said.message == "there is no service 'db': b.json removes it."
    for other in (
        Finding("unknown_dependency", "services[0]", "there is no service 'web'."),
        Finding("unknown_field", "services[0]", "'db' is no field."),
    ):
        assert told_of_removal(other, origins) == other
