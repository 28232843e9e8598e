"""The JSON Schema and the runtime take the same manifests, as an independent validator sees it."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from bundlevisor.manifest.format import fields, schema
from bundlevisor.manifest.format.json_schema import json_schema
from bundlevisor.manifest.format.shape import fields_of
from bundlevisor.manifest.read.load import parse
from tests.broken_manifests import PICKER, broken

jsonschema: Any = importlib.import_module("jsonschema")  # without types, which nothing else needs

OF_ONE_FIELD = {
    "missing_field", "empty_value", "wrong_type", "unknown_value", "out_of_range",
    "schema_version_unsupported", "target_unsupported", "ipc_mode_unsupported",
    "invalid_service_id",
}  # fmt: skip
"""What a schema can say, and must."""
OF_SOME_FIELDS = {"invalid_env_name", "nul_character"}
"""A secret's name has the same rule only where its target is a variable; NUL no text may hold."""
BEYOND = {"field_case"}
"""Names in another case, which the runtime takes as they are meant."""


def validator(*, strict: bool = False) -> Any:
    made = json_schema(strict=strict)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.timeout(600)  # all of it is work
def test_the_schema_refuses_what_the_runtime_refuses_and_nothing_else() -> None:
    takes, counts = validator(), {True: 0, False: 0}
    for source in (PICKER.read_bytes(), *broken()):
        findings = parse(source, "linux-x64").findings
        codes = {one.code for one in (*findings.errors, *findings.warnings)}
        try:
            document = json.loads(source.decode())
        except ValueError:
            assert not findings.ok
            continue
        if codes & (BEYOND | OF_SOME_FIELDS) or any(not one.path for one in findings.errors):
            continue
        refused = bool(codes & OF_ONE_FIELD)
        if takes.is_valid(document) is refused:
            wrong = [error.message[:200] for error in takes.iter_errors(document)]
            pytest.fail(f"{wrong[:3]}\n{findings.errors}\n{source[:3000]!r}")
        counts[refused] += 1
    assert min(counts.values()) > 250, counts


def test_what_go_writes_for_none_is_taken_and_not_by_the_strict_one() -> None:
    document = json.loads(PICKER.read_bytes())
    assert validator().is_valid(document)
    paths = {error.json_path for error in validator(strict=True).iter_errors(document)}
    assert "$.services[0].dependencies" in paths
    assert "$.services[0].health.retries" in paths


def test_the_strict_one_refuses_what_only_warns() -> None:
    strict, lax = validator(strict=True), validator()
    document = json.loads(clean())
    assert strict.is_valid(document), list(strict.iter_errors(document))
    document["$schema"] = "./bundle.schema.json"
    assert strict.is_valid(document)
    for break_it in BREAKS:
        broken_one = json.loads(clean())
        break_it(broken_one)
        assert lax.is_valid(broken_one)
        assert not strict.is_valid(broken_one)


Break = Callable[[dict[str, Any]], object]
BREAKS: list[Break] = [
    lambda one: one.update(extra=1),
    lambda one: one["services"][0].update(depends_on=[]),
    lambda one: one["services"][0].update(type="backend"),
    lambda one: one["services"][0]["binaries"].update({"linux": {"path": "x"}}),
    lambda one: one["services"][0].update(assets=[{"path": "x", "sha256": "12"}]),
]


def clean() -> bytes:
    return msgspec.json.encode({
        "schema_version": "v0.1", "target": "desktop",
        "app": fields.example("Manifest", "app"),
        "ipc": fields.example("Manifest", "ipc"),
        "telemetry": fields.example("Manifest", "telemetry"),
        "services": fields.example("Manifest", "services"),
    })  # fmt: skip


STRUCTS = {
    name: struct
    for name, struct in vars(schema).items()
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct) and fields_of(struct)
}


@pytest.mark.parametrize("name", STRUCTS)
def test_every_field_is_described_with_an_example_that_it_takes(name: str) -> None:
    for strict in (False, True):
        made = json_schema(strict=strict)
        definition = made["$defs"][name]
        assert definition["description"].endswith(".")
        assert set(fields.FIELDS[name]) == set(definition["properties"])
        for field, said in definition["properties"].items():
            assert len(said["description"]) > 15, field
            assert said["description"].endswith("."), field
            assert not re.search("``|:[a-z]+:`", said["description"]), field
            checked = jsonschema.Draft202012Validator({**said, "$defs": made["$defs"]})
            assert checked.is_valid(said["examples"][0]), field
            required = field in definition.get("required", ())
            assert required is ("default" not in said), field


def test_it_has_a_name_of_its_own() -> None:
    names = {json_schema(strict=strict)["$id"] for strict in (False, True)}
    assert len(names) == 2
