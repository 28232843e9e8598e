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


ZEROES: list[Any] = [None, 0, "", False, [], {}]
TAKEN: list[tuple[str, Any, bool, bool]] = [
    ("Health", {"type": "http"}, True, True),
    ("Health", {"type": "http", "retries": 1}, True, True),
    ("Health", {"type": "http", "retries": 0}, True, False),
    ("Health", {"type": "http", "retries": -1}, False, False),
    ("Health", {"type": "http", "retries": 2**53}, False, False),
    ("Health", {"type": "http", "retries": "3"}, False, False),
    ("Health", {"type": "http", "retries": 1.5}, False, False),
    ("Health", {"type": "http", "path": None}, True, False),
    ("Health", {"type": "http", "path": 1}, False, False),
    ("Health", {"type": "http", "command": ["a", "b"]}, True, True),
    ("Health", {"type": "http", "command": None}, True, False),
    ("Health", {"type": "http", "command": [1]}, False, False),
    ("Health", {"type": "http", "command": {}}, False, False),
    ("Health", {"type": ""}, False, False),
    ("Health", {"type": None}, False, False),
    ("Health", {}, False, False),
    ("Health", [], False, False),
    ("Migration", {"version": "1", "command": [], "run_on": "upgrade"}, True, True),
    ("Migration", {"version": "1", "command": [], "run_on": "never"}, False, False),
    ("Migration", {"version": "1", "command": [], "run_on": ""}, True, False),
    ("Migration", {"version": "1", "command": [], "run_on": None}, True, False),
    ("Migration", {"version": "1", "command": [], "env": {"A": "x"}}, True, True),
    ("Migration", {"version": "1", "command": [], "env": {"A": None}}, True, False),
    ("Migration", {"version": "1", "command": [], "env": {"A": 1}}, False, False),
    ("Migration", {"version": "1", "command": [], "env": {"A=": "x"}}, False, False),
    ("Migration", {"version": "", "command": []}, False, False),
    ("RestartPolicy", {"policy": "never"}, True, True),
    ("RestartPolicy", {"policy": None}, True, False),
    ("RestartPolicy", {"policy": ""}, False, False),
    ("RestartPolicy", {"backoff_factor": 1.5}, True, True),
    ("RestartPolicy", {"backoff_factor": 0.5}, False, False),
    ("RestartPolicy", {"backoff_max_ms": 0}, False, False),
    ("StopPolicy", {"http": {"path": "/stop"}}, True, True),
    ("StopPolicy", {"http": {"path": ""}}, False, False),
    ("StopPolicy", {"http": {"port_name": ""}}, False, False),
    ("StopPolicy", {"http": None}, True, False),
    ("SecretGenerator", {"charset": "hex"}, True, True),
    ("SecretGenerator", {"charset": ""}, True, False),
    ("PortRequest", {"name": "a", "requires_socket": True}, True, True),
    ("PortRequest", {"name": "a", "requires_socket": 1}, False, False),
    ("PortRequest", {"name": "a", "range": {"min": 1, "max": 2}}, True, True),
    ("PortRequest", {"name": "a", "range": {"min": 1}}, False, False),
    ("PortRequest", {"name": "a", "range": {"other": 0}}, False, False),
    ("PortRequest", {"name": "a", "range": 0}, False, False),
    ("PortRequest", {"name": "a", "range": None}, True, False),
    *(
        ("PortRequest", {"name": "a", "range": {"min": zero, "max": zero}}, True, False)
        for zero in ZEROES
    ),
    *(
        ("PortRequest", {"name": "a", "range": {"min": value}}, False, False)
        for value in (1, "x", True, [0], {"a": 0})
    ),
    ("Service", {"id": "a", "metadata": {"x": [None, 1, "y"]}}, True, True),
    ("Service", {"id": "a", "ports": {}}, True, True),
    ("Service", {"id": "a", "ports": None}, True, False),
    ("Service", {"id": "a/b"}, False, False),
    ("Manifest", json.loads(clean()), True, True),
    ("Manifest", {**json.loads(clean()), "services": []}, False, False),
]
"""Values of these Structs, and whether the schema takes them, and the strict one."""


@pytest.mark.parametrize("strict", [False, True])
def test_a_part_is_taken_as_the_runtime_takes_it_or_as_authors_should_write_it(
    strict: bool,
) -> None:
    definitions = json_schema(strict=strict)["$defs"]
    for name, value, lax, neat in TAKEN:
        whole = {"$ref": f"#/$defs/{name}", "$defs": definitions}
        taken = jsonschema.Draft202012Validator(whole).is_valid(value)
        assert taken is (neat if strict else lax), (name, value)


@pytest.mark.parametrize("strict", [False, True])
def test_the_schema_says_what_it_is_of(strict: bool) -> None:
    made = json_schema(strict=True) if strict else json_schema()
    definitions = made.pop("$defs")
    assert made == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:bundlevisor:bundle-schema:v0.1" + ":strict" * strict,
        "title": "Desktop bundle manifest v0.1",
        "$ref": "#/$defs/Manifest",
    }
    assert definitions["PortRange"] == {
        "title": "PortRange",
        "description": "An inclusive range of TCP ports.",
        "type": "object",
        "required": ["min", "max"],
        "properties": {
            name: {
                "description": fields.meaning("PortRange", name),
                "type": "integer",
                "minimum": 1,
                "maximum": 65535,
                "examples": [fields.example("PortRange", name)],
            }
            for name in ("min", "max")
        },
        **({"additionalProperties": False} if strict else {}),
    }
    migration = definitions["Migration"]["properties"]
    assert migration["command"] == {
        "description": fields.meaning("Migration", "command"),
        "type": "array",
        "items": {"type": "string"},
        "examples": [fields.example("Migration", "command")],
    }
    text = {"type": "string"}
    assert migration["env"] == {
        "description": fields.meaning("Migration", "env"),
        "type": "object" if strict else ["object", "null"],
        "additionalProperties": text if strict else {"anyOf": [text, {"type": "null"}]},
        "propertyNames": {"pattern": "^[^=]+$"},
        "examples": [fields.example("Migration", "env")],
        "default": {},
    }
    assert definitions["Service"]["properties"]["metadata"]["additionalProperties"] == {}
    absent = {name: one["description"] for name, one in definitions.items() if "Absent" in name}
    assert absent.get("AbsentPortRange") == (None if strict else "What Go programs write for none.")
    assert list(definitions) == sorted(definitions)


def test_a_description_is_the_first_of_a_docstring_without_its_marks_or_lines() -> None:
    made = json_schema()["$defs"]
    assert made["App"]["description"] == (
        "What the bundle is; 'name' also names the default app-data folder."
    )
    assert made["Ipc"]["description"] == (
        "Where the control API listens; 'auth_token_path' is relative to app-data."
    )
    assert made["Telemetry"]["description"] == (
        "The JSONL file (relative to app-data) and the address that the shell may upload it to."
    )
