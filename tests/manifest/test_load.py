"""The reader: what it takes, and that it names everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.format import fields
from bundlevisor.manifest.format.codes import MEANINGS
from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.read import load
from bundlevisor.manifest.read.load import parse


def test_a_bundle_of_the_packagers_is_read_with_only_a_warning_for_its_own_type(
    picker: bytes,
) -> None:
    loaded = parse(picker, "linux-x64")
    assert loaded.manifest is not None
    assert [finding.code for finding in loaded.findings.warnings] == ["unknown_service_type"]
    assert loaded.findings.service_errors == ()


def test_go_zero_values_and_nulls_mean_the_defaults(picker: bytes) -> None:
    manifest = parse(picker, "linux-x64").manifest
    assert manifest is not None
    store = manifest.service("store")
    assert store.health is not None
    assert (store.health.interval, store.health.timeout_ms, store.health.retries) == (0.5, 2000, 3)
    assert store.readiness is not None
    assert store.readiness.timeout_ms == 30_000
    assert store.port_requests[0].range is None
    assert (store.dependencies, store.critical, store.gpu) == ([], True, None)
    assert manifest.ports is not None
    assert manifest.ports.reserved is None


def test_zero_is_kept_where_the_field_can_hold_it(bundle: Callable[..., Any]) -> None:
    service = {"id": "one", "assets": [{"path": "x", "size_bytes": 0}]}
    loaded = parse(json.dumps(bundle(service, unknown=1)).encode(), "linux-x64")
    assert loaded.manifest is not None
    assert loaded.manifest.services[0].assets[0].size_bytes == 0


def test_zero_in_our_own_extension_is_no_default(picker: bytes) -> None:
    manifest = parse(picker, "linux-x64").manifest
    assert manifest is not None
    assert manifest.service("api").restart.backoff_ms == 0


def test_free_form_parts_are_kept_as_they_are(picker: bytes) -> None:
    manifest = parse(picker, "linux-x64").manifest
    assert manifest is not None
    assert manifest.service("api").metadata == {
        "run_mode": "eager",
        "anything": [1, {"deep": None}],
    }


def test_a_bundle_without_surprises_never_meets_the_slow_reader(
    bundle: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the slow reader was used")

    monkeypatch.setattr(load, "_collect", fail)
    text = json.dumps(bundle({"id": "one", "env": {"ADDRESS": ":80", "QUOTE": 'a": b'}}), indent=2)
    assert parse(text.encode(), "linux-x64").manifest is not None


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"12", b"null", b"true", b"1.5"])
def test_json_that_is_no_object_is_refused(data: bytes) -> None:
    (error,) = parse(data).findings.errors
    assert (error.code, error.path) == ("wrong_type", "")
    assert error.message.startswith("the bundle must be an object, not ")


@pytest.mark.parametrize(
    ("services", "code", "predicate"),
    [
        ({}, "wrong_type", "must be a list, not an object; write "),
        (3, "wrong_type", "must be a list, not 3; write "),
        (None, "missing_field", "is null; fill it in, such as "),
    ],
)
def test_services_that_are_no_list_are_refused_with_an_example(
    bundle: Callable[..., Any], services: Any, code: str, predicate: str
) -> None:
    (error,) = parse(json.dumps({**bundle(), "services": services}).encode()).findings.errors
    assert (error.code, error.path) == (code, "services")
    example = json.dumps(fields.example("Manifest", "services"))
    assert error.message == f'services {predicate}"services": {example}.'


def test_a_bundle_without_services_is_refused(bundle: Callable[..., Any]) -> None:
    (error,) = parse(json.dumps({**bundle(), "services": []}).encode()).findings.errors
    assert error.message == "services is empty; it must have at least one item."


def test_null_is_an_absent_field_and_an_empty_variable(bundle: Callable[..., Any]) -> None:
    service = {"id": "one", "env": {"A": None, "B": "x"}, "metadata": {"a": None}, "type": None}
    loaded = parse(json.dumps(bundle(service, secrets=None)).encode(), "linux-x64")
    assert loaded.manifest is not None
    (read,) = loaded.manifest.services
    assert (read.env, read.metadata, read.type) == ({"A": "", "B": "x"}, {"a": None}, "api-binary")


def test_moderately_deep_metadata_is_read(bundle: Callable[..., Any]) -> None:
    document = bundle({"id": "one"}, metadata=json.loads("[" * 300 + "]" * 300))
    assert parse(json.dumps(document).encode(), "linux-x64").manifest is not None


def test_every_problem_is_named_at_once_with_its_path(bundle: Callable[..., Any]) -> None:
    document = bundle(
        {"id": "api", "health": {"type": "htpp"}, "dependencies": ["databse"], "log_dir": "../x"},
        {"id": "database", "critical": "yes", "ports": {"requested": [{"name": ""}]}},
        {"type": "worker", "env": {"A": 1}, "dependencies": ["database", 3]},
        schema_version="v9",
        telemetry={},
        ipc={"mode": "http", "host": "0.0.0.0", "port": 70000, "auth_token_path": "/etc/x"},
    )
    del document["app"]["name"]
    loaded = parse(json.dumps(document).encode(), "linux-x64")
    assert loaded.manifest is None
    assert [(f.code, f.path) for f in loaded.findings.errors] == [
        ("missing_field", "app.name"),
        ("path_escapes_root", "ipc.auth_token_path"),
        ("ipc_host_not_loopback", "ipc.host"),
        ("out_of_range", "ipc.port"),
        ("schema_version_unsupported", "schema_version"),
        ("unknown_value", "services[0].health.type"),
        ("path_escapes_root", "services[0].log_dir"),
        ("wrong_type", "services[1].critical"),
        ("empty_value", "services[1].ports.requested[0].name"),
        ("wrong_type", "services[2].dependencies[1]"),
        ("wrong_type", "services[2].env.A"),
        ("missing_field", "services[2].id"),
        ("missing_field", "telemetry.file"),
    ]


def test_a_dependency_is_named_unknown_although_another_part_cannot_be_read(
    bundle: Callable[..., Any],
) -> None:
    document = bundle({"id": "api", "dependencies": ["databse"]}, {"id": "database", "critical": 3})
    loaded = parse(json.dumps(document).encode(), "linux-x64")
    assert [(f.code, f.path) for f in loaded.findings.errors] == [
        ("unknown_dependency", "services[0].dependencies[0]"),
        ("wrong_type", "services[1].critical"),
    ]
    assert "did you mean 'database'?" in loaded.findings.errors[0].message


@pytest.mark.parametrize(
    ("change", "code", "path", "words"),
    [
        ({"health": {"type": "htpp"}}, "unknown_value", "health.type", "did you mean 'http'?"),
        ({"health": {"path": "/x"}}, "missing_field", "health.type", "is missing; add it"),
        ({"health": []}, "wrong_type", "health", "must be an object, not a list"),
        ({"env": {"A": True}}, "wrong_type", "env.A", "must be a string, not true"),
        ({"env": {"a b": 1.5}}, "wrong_type", 'env["a b"]', "not 1.5"),
        ({"env": []}, "wrong_type", "env", "must be an object"),
        ({"env": {"A": "a\0b"}}, "nul_character", "env.A", "NUL"),
        ({"critical": 1}, "wrong_type", "critical", "must be true or false, not 1"),
        ({"dependencies": "db"}, "wrong_type", "dependencies", "must be a list, not the string"),
        ({"dependencies": [None]}, "wrong_type", "dependencies[0]", "not null"),
        ({"startup": {"timeout_ms": -1}}, "out_of_range", "startup.timeout_ms", "at least 1"),
        ({"startup": {"timeout_ms": 0}}, "out_of_range", "startup.timeout_ms", "at least 1"),
        ({"startup": {"timeout_ms": 1.5}}, "wrong_type", "startup.timeout_ms", "a whole number"),
        ({"restart": {"backoff_factor": 0.5}}, "out_of_range", "restart.backoff_factor", "1"),
        ({"restart": {"policy": ""}}, "unknown_value", "restart.policy", "'on_failure'"),
        (
            {"startup": {"timeout_ms": 1 << 70}},
            "out_of_range",
            "startup.timeout_ms",
            "at most 9007",
        ),
        ({"assets": [{"path": ""}]}, "empty_value", "assets[0].path", "fill it in"),
        (
            {"migrations": [{"version": "1", "command": ["x"], "run_on": "once"}]},
            "unknown_value",
            "migrations[0].run_on",
            "'always', 'first_install', 'install' or 'upgrade'",
        ),
        ({"id": None}, "missing_field", "id", "is null; fill it in"),
        ({"id": ""}, "empty_value", "id", "is empty"),
        ({"gpu": {"requirement": "mandatory"}}, "unknown_value", "gpu.requirement", "'required'"),
        ({"stop": {"signal": "SIGTREM"}}, "unknown_value", "stop.signal", "did you mean 'SIGTERM'"),
    ],
)
def test_a_wrong_value_is_named_with_path_and_remedy(
    bundle: Callable[..., Any], change: dict[str, Any], code: str, path: str, words: str
) -> None:
    loaded = parse(json.dumps(bundle({"id": "one", **change})).encode(), "linux-x64")
    assert loaded.manifest is None
    (finding,) = loaded.findings.errors
    assert (finding.code, finding.path) == (code, f"services[0].{path}")
    assert words in finding.message


def test_an_unknown_field_warns_with_the_field_that_was_meant(bundle: Callable[..., Any]) -> None:
    document = bundle({"id": "a"}, {"id": "b"}, {"id": "c", "dependancies": [], "zzz": {"x": [1]}})
    loaded = parse(json.dumps({**document, "peers": []}).encode(), "linux-x64")
    assert loaded.manifest is not None
    warnings = {finding.path: finding for finding in loaded.findings.warnings}
    assert set(warnings) == {"services[2].dependancies", "services[2].zzz", "peers"}
    assert "did you mean 'dependencies'?" in warnings["services[2].dependancies"].message
    assert warnings["services[2].zzz"].service == "c"
    assert "did you mean" not in warnings["services[2].zzz"].message


def test_names_in_another_case_are_read_as_go_reads_them(bundle: Callable[..., Any]) -> None:
    document = bundle({"ID": "one", "Binaries": {"linux-x64": {"Path": "bin/y"}}})
    del document["services"][0]["binaries"]
    document["Services"] = document.pop("services")
    loaded = parse(json.dumps(document).encode(), "linux-x64")
    assert loaded.manifest is not None
    assert loaded.manifest.service("one").binaries["linux-x64"].path == "bin/y"
    assert [f.code for f in loaded.findings.warnings] == ["field_case"] * 4


def test_a_name_in_another_case_does_not_replace_the_right_one(bundle: Callable[..., Any]) -> None:
    loaded = parse(json.dumps({**bundle({"id": "one"}), "Services": []}).encode(), "linux-x64")
    assert loaded.manifest is not None
    assert [(f.code, f.path) for f in loaded.findings.warnings] == [("unknown_field", "Services")]


def test_too_many_findings_are_counted_not_shown(bundle: Callable[..., Any]) -> None:
    document = {**bundle({"id": "one"}), **{f"field{number}": 1 for number in range(1500)}}
    warnings = parse(json.dumps(document).encode(), "linux-x64").findings.warnings
    assert len(warnings) == 1001
    assert warnings[-1].code == "too_many_findings"
    assert "500 more warnings" in warnings[-1].message


def test_findings_are_sorted_by_path_with_numbers_as_numbers(bundle: Callable[..., Any]) -> None:
    document = bundle(*({"id": f"s{number}", "odd": 1} for number in range(12)))
    warnings = parse(json.dumps(document).encode(), "linux-x64").findings.warnings
    assert [f.path for f in warnings] == [f"services[{number}].odd" for number in range(12)]


def test_a_bundle_is_checked_for_the_platform_that_is_asked_for(
    tmp_path: Path, bundle: Callable[..., Any]
) -> None:
    path, overlay = tmp_path / "bundle.json", tmp_path / "overlay.json"
    path.write_text(json.dumps(bundle({"id": "one", "binaries": {"amiga-68k": {"path": "x"}}})))
    overlay.write_text("{}")
    for overlays in ((), (str(overlay),)):
        (missing,) = load.read(str(path), "win-arm64", overlays).findings.service_errors
        assert "there is no binary for win-arm64 " in missing.message
        assert load.read(str(path), "amiga-68k", overlays).findings.service_errors == ()


def test_what_can_be_read_is_there_for_those_who_look_further(bundle: Callable[..., Any]) -> None:
    right, unwise, unread = ({"id": "one", **field} for field in ({}, {"log_dir": "/"}, {"env": 3}))
    for service, missed, usable in ((right, 0, 1), (unwise, 0, 0), (unread, 1, 0)):
        source = json.dumps(bundle(service)).encode()
        loaded = parse(source, "linux-x64")
        assert (len(loaded.unread), loaded.manifest is not None) == (missed, usable)
        assert loaded.readable is not None
        assert loaded.readable.services[0].id == "one"
        assert loaded.source == source
    assert parse(b"[").readable is None


def test_findings_add_up() -> None:
    first = parse(b"").findings
    both = first + Findings(warnings=first.errors)
    assert (len(both.errors), len(both.warnings), both.ok) == (1, 1, False)


def test_every_code_in_the_sources_is_explained() -> None:
    import re

    folder = Path(load.__file__).parent.parent
    sources = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    calls = r"(?:\.(?:error|service_error|warning)|Finding|_finding|_error|_warn)\(\s*\"(\w+)\""
    used = set(re.findall(calls, sources))
    assert len(used) > 40
    assert used <= set(MEANINGS)
