"""Nothing brings the reader down, and what is valid comes out as it went in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.codes import MEANINGS
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read.load import parse

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
NAMES = sorted(
    {
        name
        for struct in Manifest.__subclasses__() or [Manifest]
        for name in struct.__struct_fields__
    }
    | {"id", "type", "health", "env", "requested", "range", "min", "max", "class", "target", "path"}
)
NEARLY = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner | st.lists(inner, max_size=3)),
    max_leaves=30,
)


@given(NEARLY)
def test_no_json_value_brings_the_reader_down(value: object) -> None:
    loaded = parse(json.dumps(value).encode(), "linux-x64")
    assert (loaded.manifest is None) is bool(loaded.findings.errors)
    assert {f.code for f in loaded.findings.errors} <= set(MEANINGS)


@given(st.data())
def test_a_bundle_with_one_part_replaced_by_anything_is_read_or_explained(
    data: st.DataObject,
) -> None:
    document = json.loads((Path(__file__).parent / "bundles" / "picker.json").read_text())
    part: Any = document
    for _ in range(data.draw(st.integers(0, 5))):
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(part[key], dict | list) or not part[key]:
            break
        part = part[key]
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    part[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    loaded = parse(json.dumps(document).encode(), "linux-x64")
    assert (loaded.manifest is None) is bool(loaded.findings.errors)


@given(st.binary(max_size=200))
def test_no_bytes_bring_the_reader_down(data: bytes) -> None:
    loaded = parse(data)
    assert loaded.manifest is None
    assert loaded.findings.errors


WORD = st.text("abcdefgh-_.0123456789", min_size=1, max_size=12).map(lambda word: f"s{word}")
SERVICES = st.lists(
    st.fixed_dictionaries(
        {"id": WORD},
        optional={
            "type": st.sampled_from(["worker", "resource", "api-binary"]),
            "env": st.dictionaries(st.text("ABC_", min_size=1), st.text("xyz/ :\"'é")),
            "data_dirs": st.lists(WORD),
            "critical": st.booleans(),
            "metadata": st.dictionaries(st.text(), JSON, max_size=3),
        },
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda service: str(service["id"]).lower(),
)


@given(SERVICES)
def test_what_is_valid_comes_out_as_it_went_in(services: list[dict[str, Any]]) -> None:
    document = {
        "schema_version": "0.1",
        "target": "desktop",
        "app": {"name": "a", "version": "1"},
        "ipc": {"mode": "http", "host": "::1", "port": 0, "auth_token_path": "t"},
        "telemetry": {"file": "f"},
        "services": [{**service, "binaries": {"universal": {"path": "b"}}} for service in services],
    }
    loaded = parse(json.dumps(document).encode(), "linux-x64")
    assert loaded.findings.errors == ()
    assert loaded.manifest is not None
    again = parse(msgspec.json.encode(loaded.manifest), "linux-x64")
    assert again.manifest == loaded.manifest
    for service, written in zip(loaded.manifest.services, services, strict=True):
        assert service.env == written.get("env", {})
        assert service.metadata == written.get("metadata", {})
