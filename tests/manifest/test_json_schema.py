"""The JSON Schema of the format, and what the room imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bundlevisor.manifest.format import schema
from bundlevisor.manifest.format.json_schema import json_schema, text

ROOT = Path(schema.__file__).parents[2]


def test_the_schema_names_every_struct_and_required_field() -> None:
    document = json_schema()
    definitions: dict[str, Any] = document["$defs"]
    assert document["$ref"] == "#/$defs/Manifest"
    assert definitions["Manifest"]["required"] == [
        "schema_version", "target", "app", "ipc", "telemetry", "services",
    ]  # fmt: skip
    assert {"Service", "Secret", "Health", "RestartPolicy", "Supervision"} <= set(definitions)
    assert "class" in definitions["Secret"]["properties"]
    health = definitions["Health"]["properties"]
    assert health["type"]["enum"] == ["command", "http", "log_match", "tcp"]
    assert health["retries"]["default"] == 3


def test_unknown_fields_are_allowed_by_the_schema() -> None:
    assert '"additionalProperties": false' not in text()


def test_the_schema_is_printed_as_indented_json() -> None:
    for strict in (False, True):
        made = json_schema(strict=strict)
        assert (
            text(**({"strict": True} if strict else {}))
            == json.dumps(made, indent=2, ensure_ascii=False) + "\n"
        )


HEAVY = {
    "argparse", "asyncio", "ctypes", "dataclasses", "hashlib", "http", "json", "logging",
    "multiprocessing", "pathlib", "random", "secrets", "shutil", "ssl", "tempfile", "urllib",
}  # fmt: skip


def imported_by(code: str) -> set[str]:
    """Which modules are there after ``code``, in an interpreter of its own, msgspec's aside."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.path.extend({sys.path!r});"
        f" import msgspec; before = set(sys.modules); {code};"
        " print(' '.join(set(sys.modules) - before))"
    )
    command = [sys.executable, "-I", "-c", program]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_the_start_imports_nothing_heavy(picker: bytes) -> None:
    modules = ("read.load", "plan.graph", "plan.template", "format.platform", "format.paths")
    more = ("plan.command", "plan.environment", "plan.launch", "plan.ports")
    imports = ", ".join(f"bundlevisor.manifest.{name}" for name in (*modules, *more))
    plain = picker.replace(b" null", b" []").replace(b'"gpu": [],', b"")
    reading = f"import {imports}; bundlevisor.manifest.read.load.parse({plain!r})"
    found = imported_by(reading)
    assert "bundlevisor.manifest.read.load" in found
    assert {name.partition(".")[0] for name in found}.isdisjoint(HEAVY)
    assert "bundlevisor.manifest.format.codes" not in found
    assert "bundlevisor.manifest.format.json_schema" not in found


def test_the_room_needs_only_itself() -> None:
    names = [
        ".".join(("bundlevisor", *path.relative_to(ROOT).with_suffix("").parts))
        for path in (ROOT / "manifest").rglob("*.py")
    ]
    found = imported_by(f"import {', '.join(names).replace('.__init__', '')}")
    others = {name for name in found if not name.startswith("bundlevisor.manifest")}
    foreign = {name.partition(".")[0] for name in others} - set(sys.stdlib_module_names)
    assert foreign == {"bundlevisor"}
    assert "bundlevisor.actors" not in others
