"""Keys that stand twice, and what only looks so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.read.duplicates import may_repeat_keys
from bundlevisor.manifest.read.load import parse


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"app": 1, "app": 2}', "app"),
        ('{"app": 1, "app" : 2}', "app"),
        ('{"app": 1, "app"\n:2}', "app"),
        ('{"app": 1, "app"\t:2}', "app"),
        ('{"app": 1, "app"\r:2}', "app"),
        ('{"app": 1, "app" :2, "app": 3}', "app"),
        ('{"app": 1, "\\u0061pp": 2}', "app"),
        ('{"a": ":80", "services": [{}, {"env": {"X": ":1", "X": "2"}}]}', "services[1].env.X"),
        ('{"a\\u0022: b": 1, "c": {"d": 1, "d": 2}}', "c.d"),
        ('{"a": {"b": 1}, "a": {"b": 1, "b": 2}}', "a"),
    ],
)
def test_a_key_that_stands_twice_is_named(text: str, path: str) -> None:
    findings = parse(text.encode()).findings
    duplicates = [finding for finding in findings.errors if finding.code == "duplicate_key"]
    assert duplicates[0].path == path
    assert duplicates[0].message == f"{path} is written twice; remove one of them."


def test_a_blank_before_a_colon_does_not_make_it_look_as_if_a_key_stood_twice() -> None:
    for blank in ("", " ", "\t", "\n", "\r", " \t\n\r "):
        source = f'{{"a"{blank}: 1, "b": {{"a" : 1}}}}'.encode()
        assert may_repeat_keys(source, json.loads(source)) is False
    every = b'{"a" : 1, "b"\t: 2, "c"\n: 3, "d"\r: 4}'
    assert may_repeat_keys(every, json.loads(every)) is False


@pytest.mark.parametrize("value", [":80", '\\":', '":', "\\u0022:", '\\\\":', '": "x'])
def test_quotes_and_colons_in_strings_are_no_keys(bundle: Callable[..., Any], value: str) -> None:
    document = bundle({"id": "one", "env": {"A": value, 'B": ': value}})
    for text in (json.dumps(document), json.dumps(document, indent=1), json.dumps(document)[::1]):
        loaded = parse(text.encode(), "linux-x64")
        assert loaded.manifest is not None
        assert loaded.manifest.services[0].env["A"] == value
