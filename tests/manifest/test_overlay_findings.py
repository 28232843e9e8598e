"""What is told of a bundle with overlays: each word of it, and where whoever wrote it looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.read import load
from bundlevisor.manifest.read.load import Loaded
from bundlevisor.manifest.read.origins import Origins, origin_of
from bundlevisor.manifest.read.overlay import naming
from tests.manifest.conftest import document

Read = Callable[..., Loaded]
Told = list[tuple[str, str, str, str]]
PORTS = {"requested": [{"name": "http"}, {"name": "admin"}]}
NEW = {"binaries": {"universal": {"path": "bin/x"}}}
SERVICES = ({"id": "db"}, {"id": "api", "dependencies": ["db"], "ports": PORTS})


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """A reader of a bundle of two services, and of one.json, two.json and so on."""
    monkeypatch.chdir(tmp_path)

    def reader(*overlays: Any, source: Any = None) -> Loaded:
        text = source if isinstance(source, str) else json.dumps(source or document(*SERVICES))
        Path("bundle.json").write_text(text)
        names = ["one.json", "two.json", "three.json"][: len(overlays)]
        for name, overlay in zip(names, overlays, strict=True):
            Path(name).write_text(overlay if isinstance(overlay, str) else json.dumps(overlay))
        return load.read("bundle.json", "linux-x64", names)

    return reader


def told(loaded: Loaded) -> Told:
    """All that is found: file, path, code, sentence."""
    found = loaded.findings
    return [
        (one.file, one.path, one.code, one.message)
        for part in (found.errors, found.service_errors, found.warnings)
        for one in part
    ]


@pytest.mark.parametrize(
    ("overlay", "path", "code", "sentence"),
    [
        (
            {"app": 3},
            "app",
            "wrong_type",
            'app must be an object, not 3; write "app": {"name": "Notes", "version": "1.0.0"}.',
        ),
        (
            {"services": [NEW | {"id": "new", "health": {"type": "tcpp"}}]},
            "services[0].health.type",
            "unknown_value",
            (
                "services[0].health.type is 'tcpp' (did you mean 'tcp'?); it must be"
                " 'http', 'tcp', 'command' or 'log_match'."
            ),
        ),
        (
            {"services": {"new": NEW | {"health": {"type": "command"}}}},
            "services.new.health.command",
            "empty_command",
            "service 'new': this command names no program; add one.",
        ),
        (
            {"services": {"api": {"env": {"A\nB": "x"}}}},
            'services.api.env["A\\nB"]',
            "control_character",
            (
                "service 'api': the name 'A\\nB' holds a line end or another control"
                " character, which most programs that read it do not expect; remove it."
            ),
        ),
        (
            {"services": {"api": {"env": {'a "\\': 3}}}},
            'services.api.env["a \\"\\\\"]',
            "wrong_type",
            'services.api.env["a \\"\\\\"] must be a string, not 3.',
        ),
        (
            {"services": {"api": {"log_dir": "secrets.json"}}},
            "services.api.log_dir",
            "path_taken",
            (
                "service 'api': the log of service 'api' has the same path as a file of the"
                " runtime (secrets.json); choose another name here."
            ),
        ),
        (
            {
                "services": {
                    "api": {"ports": {"requested": {"http": {"range": {"min": 9, "max": 8}}}}}
                }
            },
            "services.api.ports.requested.http.range",
            "port_range_inverted",
            "services.api.ports.requested.http.range has min 9 above max 8; swap them.",
        ),
        (
            {"services": {"api": {"dependencies": ["db", "nobody"]}}},
            "services.api.dependencies[1]",
            "unknown_dependency",
            "service 'api': there is no service 'nobody' to depend on.",
        ),
        (
            {"secrets": {"key": 3}},
            "secrets.key",
            "overlay_unclear",
            "secrets.key must be an object with 'id': that says what it changes.",
        ),
        (
            {"services": [{"id": "db"}, {"id": 3}]},
            "services[1]",
            "overlay_unclear",
            "services[1] must be an object with 'id': that says what it changes.",
        ),
        ({"a b": 1}, '["a b"]', "unknown_field", '["a b"] is no field of the format.'),
        (
            "[]",
            "",
            "overlay_unclear",
            "an overlay must be an object with the fields of a bundle that it changes.",
        ),
        (
            '{"app": {"name": "x", "name": "y"}}',
            "app.name",
            "duplicate_key",
            "app.name is written twice; remove one of them.",
        ),
        (
            "{,",
            "",
            "not_json",
            (
                "the file is no JSON: expecting property name enclosed in double"
                " quotes (line 1, column 2)."
            ),
        ),
    ],
)
def test_what_is_wrong_in_an_overlay_is_told_in_its_own_terms(
    read: Read, overlay: Any, path: str, code: str, sentence: str
) -> None:
    assert told(read({"services": {"db": {"env": {"A": "1"}}}}, overlay)) == [
        ("two.json", path, code, sentence)
    ]


def test_all_overlays_are_read_whatever_is_wrong_with_one(read: Read) -> None:
    loaded = read("[]", '{"a": 1, "a": 2}', {"services": {"db": 3}})
    assert [one[:3] for one in told(loaded)] == [
        ("one.json", "", "overlay_unclear"),
        ("two.json", "a", "duplicate_key"),
        ("three.json", "services.db", "overlay_unclear"),
    ]
    assert loaded.manifest is None


def test_a_key_that_the_bundle_has_twice_is_told_of_beside_overlays(read: Read) -> None:
    twice = read({"app": {"version": "2"}}, source='{"app": {}, "app": {}}')
    assert told(twice) == [
        ("", "app", "duplicate_key", "app is written twice; remove one of them.")
    ]


def test_a_bundle_that_is_no_json_is_explained_beside_overlays(read: Read) -> None:
    loaded = read({"app": {"version": "2"}}, source="{,")
    assert [one[:3] for one in told(loaded)] == [("", "", "not_json")]
    assert [one[:3] for one in told(read({"app": {}}, source="[]"))] == [("", "", "wrong_type")]


def test_an_overlay_that_is_not_there_is_told_by_its_name(tmp_path: Path, read: Read) -> None:
    read()
    assert told(load.read("bundle.json", "linux-x64", ["gone.json"])) == [
        (
            "gone.json",
            "",
            "manifest_missing",
            "cannot read the overlay 'gone.json': there is no such file; check the path.",
        )
    ]


def test_what_an_overlay_leaves_as_it_is_stays_the_bundles(read: Read) -> None:
    source = document({"id": "db", "health": {"type": "htp"}, "log_dir": "../x"})
    loaded = read({"services": {"db": {"log_dir": "../y"}}}, source=source)
    assert [one[:3] for one in told(loaded)] == [
        ("", "services[0].health.type", "unknown_value"),
        ("one.json", "services.db.log_dir", "path_escapes_root"),
    ]


def test_a_bundle_that_spells_otherwise_than_its_findings_is_told_of_all_the_same(
    read: Read,
) -> None:
    source = document({"id": ["db"], "Env": {"a b": 3}})
    loaded = read({"app": {"version": "2"}}, source=source)
    assert [one[:2] for one in told(loaded)] == [
        ("", 'services[0].env["a b"]'),
        ("", "services[0].id"),
        ("", "services[0].Env"),
    ]


def test_the_last_overlay_that_has_written_a_value_is_named(read: Read) -> None:
    first = {"services": {"db": {"log_dir": "../x", "data_dirs": ["../x"]}}}
    second = {"services": [{"id": "db", "log_dir": "../y"}]}
    assert [one[:2] for one in told(read(first, second))] == [
        ("one.json", "services.db.data_dirs[0]"),
        ("two.json", "services[0].log_dir"),
    ]


def test_a_finding_of_an_overlay_is_none_of_another_that_writes_the_same(read: Read) -> None:
    loaded = read({"app": {"version": "2"}}, {"app": {"version": "3"}})
    own = Finding("x", "app.version", "a sentence", file="one.json")
    assert loaded.placed(Findings(errors=(own,), service_errors=(own,))) == Findings((own,), (own,))


@pytest.mark.parametrize(
    ("overlay", "code", "sentence"),
    [
        (
            {"services": {"db": None}},
            "unknown_dependency",
            "service 'api': there is no service 'db' to depend on: one.json removes it.",
        ),
        (
            {"services": {"db": None, "api": {"dependencies": ["none"]}}},
            "unknown_dependency",
            "service 'api': there is no service 'none' to depend on.",
        ),
        (
            {
                "services": {
                    "api": {"dependencies": ["http"], "ports": {"requested": {"http": None}}}
                }
            },
            "unknown_dependency",
            "service 'api': there is no service 'http' to depend on.",
        ),
        (
            {"secrets": {"key": None}, "services": {"api": {"dependencies": ["key"]}}},
            "unknown_dependency",
            "service 'api': there is no service 'key' to depend on.",
        ),
        (
            {"secrets": {"key": None}, "services": {"api": {"secrets": ["key"]}}},
            "unknown_secret",
            "service 'api': there is no secret 'key': one.json removes it.",
        ),
        (
            {"secrets": {"api": None}, "services": {"api": {"secrets": ["key2"]}}},
            "unknown_secret",
            "service 'api': there is no secret 'key2' (did you mean 'key'?).",
        ),
    ],
)
def test_only_what_an_overlay_has_removed_is_told_to_be(
    read: Read, overlay: Any, code: str, sentence: str
) -> None:
    target = {"class": "user_prompt", "target": {"type": "env"}}
    source = document(*SERVICES, secrets=[{"id": id_, **target} for id_ in ("api", "key")])
    ((file, path, found, message),) = told(read(overlay, source=source))
    assert (found, message) == (code, sentence)
    assert bool(file) is ("api" in overlay["services"])
    assert path.startswith("services.api" if file else "services[0]")


def test_a_place_that_the_bundle_has_not_is_left_as_it_is() -> None:
    origins = Origins()
    origins.document = {"services": [{"id": "db"}], "app": {"name": "x"}}
    origins.places = {("services", "db"): ("one.json", "services.db")}
    for path in ("services[1].id", "app[0]", "services[0][0][0]", "app.name.first", ""):
        finding = Finding("x", path, f"{path} is wrong.")
        placed = origin_of(finding, origins, naming)
        assert placed.file == ("one.json" if path.startswith("services[0]") else "")
        assert placed.path == path.replace("services[0]", "services.db")


def test_a_path_is_replaced_where_it_stands_as_a_whole() -> None:
    origins = Origins()
    origins.document = {"services": [{"id": "db", "env": {}}]}
    origins.places = {("services", "db"): ("one.json", "services.new")}
    sentence = "services[0].env: xservices[0].env, services[0].env.A, 'services[0].env'; mend it."
    said = origin_of(Finding("x", "services[0].env", sentence), origins, naming)
    assert said.message == "services.new.env:" + sentence.partition(":")[2]
    end = origin_of(Finding("x", "services[0].env", "rename services[0].env."), origins, naming)
    assert end.message == "rename services.new.env."
