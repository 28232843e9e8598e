"""``validate`` reports whatever ``run`` refuses, and its ``--json`` is JSON in every case."""

from __future__ import annotations

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


def refusals(manifest: Path, app_data: Path) -> Iterator[str]:
    """Yield what a start refuses: services that it would not spawn, "" for the bundle."""
    loaded = load.read(str(manifest))
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
            spec.find_health_command(inputs, env)
    except (CannotLaunch, PathRefused):
        return False
    return True


def test_what_run_refuses_is_reported(folder: Path) -> None:
    manifest = folder / "bundle" / "bundle.json"
    refused = silent = 0
    for number, source in enumerate((PICKER.read_bytes(), *broken())):
        manifest.write_bytes(source)
        app_data = folder / f"app-{number}"
        (app_data / "work").mkdir(parents=True)  # a working folder that a service would make
        findings = validation.look(str(manifest), str(manifest.parent), str(app_data))
        report = json.loads(msgspec.json.encode(shown(findings)))
        assert report["valid"] is not bool(report.get("errors"))
        of_services = {one.get("service", "") for one in report.get("errors", ())}
        found = set(refusals(manifest, app_data))
        assert not found or not report["valid"], source
        if "" not in found:
            assert findings.ok, (source, findings.errors)
            assert found <= of_services, source
        refused += bool(found)
        silent += report["valid"]
    assert refused > 400
    assert silent > 100


@pytest.mark.parametrize("log_dir", ["../x.log", "/tmp/x.log", "C:\\x.log", "a/../../b"])
def test_a_log_outside_is_reported_by_both(folder: Path, log_dir: str) -> None:
    document = json.loads(PICKER.read_bytes())
    document["services"][0]["log_dir"] = log_dir
    agree(folder, json.dumps(document).encode())


@pytest.mark.parametrize("number", range(SAMPLE))
def test_the_installed_commands_agree(folder: Path, number: int) -> None:
    agree(folder, broken_one(number * 4))


def agree(folder: Path, source: bytes) -> None:
    manifest, app_data = folder / "bundle" / "bundle.json", folder / "app-data"
    manifest.write_bytes(source)
    place = ("--manifest", str(manifest), "--app-data", str(app_data))
    validated = bundlevisor("validate", "--json", *place)
    report = json.loads(validated.stdout)
    assert validated.stderr == ""
    ran = bundlevisor("run", *place) if validated.returncode == REFUSED else None
    if ran is None:
        assert report["valid"] is (validated.returncode == VALID)
        return
    assert ran.returncode == REFUSED, ran.stderr
    said = [json.loads(line)["message"] for line in ran.stderr.splitlines()]
    assert len(said) >= len(report["errors"]) > 0
    for problem in report["errors"]:
        assert any(sentence.endswith(problem["message"]) for sentence in said)


AROUND = "(?<=worker )is ready"
SECRET = {"id": "key", "class": "user_prompt", "format": AROUND, "target": {"type": "env"}}
PATTERNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "secrets[0].format": ({"secrets": [SECRET]}, {}),
    "services[0].readiness.pattern": ({}, {"readiness": {"type": "log_match", "pattern": AROUND}}),
    "services[0].health.pattern": ({}, {"health": {"type": "log_match", "pattern": AROUND}}),
    "services[0].health.path": ({}, {"health": {"type": "log_match", "path": AROUND}}),
}


@pytest.mark.parametrize("path", PATTERNS)
def test_look_around_is_refused_in_re2_s_words_by_both(tmp_path: Path, path: str) -> None:
    document, service = PATTERNS[path]
    made = bundle(tmp_path).service("worker", "logs_ready_line", ports=(), **service)
    made.set(**document).write()
    place = ("--manifest", str(made.path), "--app-data", str(made.app_data))
    (found,) = json.loads(bundlevisor("validate", "--json", *place).stdout)["errors"]
    assert (found["code"], found["path"]) == ("invalid_pattern", path)
    assert f"the regular expression of {path}: invalid perl operator: (?<" in found["message"]
    ran = bundlevisor("run", *place)
    assert ran.returncode == REFUSED
    assert json.loads(ran.stderr)["message"].endswith(found["message"])
