"""``validate`` reports whatever ``run`` refuses, and its ``--json`` is JSON in every case."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.places import look
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec, build_launch, have_data_dirs
from bundlevisor.actors.validation import bundle as validation
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.launch_specs import launch_specs
from bundlevisor.control.run.options import RunOptions
from bundlevisor.control.wire.findings import shown
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.plan.ports import demands
from bundlevisor.manifest.read import load
from tests.broken_manifests import PICKER, broken, broken_one
from tests.bundle_maker import bundle, bundlevisor

SAMPLE = 12
OUTSIDE = ("../x.log", "/tmp/x.log", "C:\\x.log", "a/../../b")
PROGRAMS = ("bin/store", "bin/store-arm", "bin/api", "models/small.bin", "ui/dist/index.html")
VALID, NOT_VALID, REFUSED = 0, 1, 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle whose files are all there."""
    for name in PROGRAMS:
        path = tmp_path / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"#!/bin/sh\n")
        path.chmod(0o755)
    return tmp_path


def refusals(manifest: Path, app_data: Path, loaded: load.Loaded) -> Iterator[str]:
    """Yield what a start refuses: services that it would not spawn, "" for the bundle."""
    if loaded.manifest is None:
        yield ""
        return
    if not look(loaded.manifest, str(app_data), str(manifest.parent), minds_case=True).ok:
        yield ""
        return
    options = RunOptions(manifest=str(manifest))
    try:
        planned = Bundle(loaded.manifest, loaded, options, str(app_data), "id")
        specs = launch_specs(planned)
    except PathRefused:
        yield ""
        return
    ports: dict[str, dict[str, int]] = {}
    for demand in demands(loaded.manifest):
        ports.setdefault(demand.service, {})[demand.name] = demand.low
    for id_, spec in specs.items():
        if not launches(spec, StartInputs(ports, dict.fromkeys(spec.service.secrets, "x" * 9))):
            yield id_


def launches(spec: LaunchSpec, inputs: StartInputs) -> bool:
    try:
        spec.secret_files(inputs)
        spec.keep_log_inside()
        if not spec.page:
            env = spec.environment(inputs, "i")
            have_data_dirs(spec)
            build_launch(spec, inputs, "i")
            spec.require_health_command(inputs, env)
    except (CannotLaunch, PathRefused):
        return False
    return True


def test_what_run_refuses_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = folder / "bundle" / "bundle.json"
    read_once = functools.cache(load.parse)  # both read the same bytes: they need not be read twice
    monkeypatch.setattr(load, "parse", read_once)
    refused = silent = 0
    for number, source in enumerate((PICKER.read_bytes(), *broken())):
        manifest.write_bytes(source)
        app_data = folder / f"app-{number}"
        (app_data / "work").mkdir(parents=True)  # a working folder that a service would make
        findings = validation.look(str(manifest), str(manifest.parent), str(app_data))
        report = json.loads(msgspec.json.encode(shown(findings)))
        assert report["valid"] is not bool(report.get("errors"))
        of_services = {one.get("service", "") for one in report.get("errors", ())}
        found = set(refusals(manifest, app_data, load.read(str(manifest))))
        read_once.cache_clear()
        assert not found or not report["valid"], source
        if "" not in found:
            assert findings.ok, (source, findings.errors)
            assert found <= of_services, source
        refused += bool(found)
        silent += report["valid"]
    assert refused > 400
    assert silent > 100


def test_logs_outside_are_reported_by_both(folder: Path) -> None:
    document = json.loads(PICKER.read_bytes())
    binaries = document["services"][0]["binaries"]
    first = len(document["services"])
    document["services"] += [
        {"id": f"of{number}", "type": "worker", "binaries": binaries, "log_dir": log_dir}
        for number, log_dir in enumerate(OUTSIDE)
    ]
    errors = agree(folder, json.dumps(document).encode())
    refused = [f"services[{first + number}].log_dir" for number in range(len(OUTSIDE))]
    assert [one["path"] for one in errors] == refused


@pytest.mark.parametrize("number", range(SAMPLE))
def test_the_installed_commands_agree(folder: Path, number: int) -> None:
    agree(folder, broken_one(number * 4))


def agree(folder: Path, source: bytes) -> list[dict[str, Any]]:
    """Return the errors that validate has told, and run among them, if it has refused."""
    manifest, app_data = folder / "bundle" / "bundle.json", folder / "app-data"
    manifest.write_bytes(source)
    place = ("--manifest", str(manifest), "--app-data", str(app_data))
    validated = bundlevisor("validate", "--json", *place)
    report = json.loads(validated.stdout)
    assert validated.stderr == ""
    ran = bundlevisor("run", *place) if validated.returncode == REFUSED else None
    if ran is None:
        assert report["valid"] is (validated.returncode == VALID)
        return []
    assert ran.returncode == REFUSED, ran.stderr
    said = [json.loads(line) for line in ran.stderr.splitlines()]
    refused = [one["message"] for one in said if one["level"] == "error"]
    assert refused
    errors: list[dict[str, Any]] = report["errors"]
    for sentence in refused:  # which does not look at files where the manifest will not do
        assert any(sentence.endswith(problem["message"]) for problem in errors)
    return errors


AROUND = "(?<=worker )is ready"
SECRET = {"id": "key", "class": "user_prompt", "format": AROUND, "target": {"type": "env"}}
PATTERNS: dict[str, dict[str, Any]] = {
    "secrets[0].format": {},
    "services[0].readiness.pattern": {"readiness": {"type": "log_match", "pattern": AROUND}},
    "services[1].health.pattern": {"health": {"type": "log_match", "pattern": AROUND}},
    "services[2].health.path": {"health": {"type": "log_match", "path": AROUND}},
}


def test_look_around_is_refused_in_re2_s_words_by_both(tmp_path: Path) -> None:
    made = bundle(tmp_path).set(secrets=[SECRET])
    for number, fields in enumerate(filter(None, PATTERNS.values())):
        made.service(f"worker{number}", "logs_ready_line", ports=(), **fields)
    made.write()
    place = ("--manifest", str(made.path), "--app-data", str(made.app_data))
    found = json.loads(bundlevisor("validate", "--json", *place).stdout)["errors"]
    messages = {one["path"]: one["message"] for one in found if one["code"] == "invalid_pattern"}
    assert sorted(messages) == sorted(PATTERNS)
    assert len(found) == len(PATTERNS)
    ran = bundlevisor("run", *place)
    assert ran.returncode == REFUSED
    said = [json.loads(line)["message"] for line in ran.stderr.splitlines()]
    for path, message in messages.items():
        assert "does not take this regular expression: invalid perl operator: (?<" in message
        assert any(path in one and one.endswith(message) for one in said), path
