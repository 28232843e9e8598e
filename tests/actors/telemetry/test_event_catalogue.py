"""Every event that is emitted is in the catalogue with its fields, and the other way round."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.gpu.requirement import EVENTS as GPU_EVENTS
from bundlevisor.actors.telemetry.catalogue import ASSETS, EVENTS

ROOT = Path(__file__).parents[3]
EMITTERS = {"emit", "_emit", "EmitEvent", "_report", "append"}
TOLD_ELSEWHERE = {*ASSETS, *GPU_EVENTS.values(), "app_downgraded", "playwright_chromium_fallback"}
"""Events whose names are data: of findings, of requirements, of a phase."""


@functools.cache
def emitted() -> list[tuple[str, ast.Call]]:
    return list(calls())


def calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("actors", "control"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and name_of(node) in EMITTERS:
                    for argument in node.args[:2]:
                        if isinstance(argument, ast.Constant) and is_name(argument.value):
                            yield str(argument.value), node


def name_of(call: ast.Call) -> str:
    called = call.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def is_name(value: object) -> bool:
    return isinstance(value, str) and value.replace("_", "").isalpha() and value.islower()


def fields(call: ast.Call) -> set[str]:
    """Those that can be read off the call."""
    named = {keyword.arg for keyword in call.keywords if keyword.arg}
    for node in ast.walk(call):
        if isinstance(node, ast.Dict):
            named |= {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}
    return named - {"carried", "key"}


def test_nothing_is_emitted_that_is_not_in_the_catalogue() -> None:
    seen = emitted()
    assert len(seen) > 30
    assert {name for name, _ in seen} - EVENTS.keys() - {"psutil"} == set()


def test_nothing_is_in_the_catalogue_that_is_not_emitted() -> None:
    assert EVENTS.keys() - {name for name, _ in emitted()} - TOLD_ELSEWHERE == {"telemetry_dropped"}


def test_every_field_that_is_given_is_told() -> None:
    unknown = {
        (name, field)
        for name, call in emitted()
        if name in EVENTS
        for field in fields(call) - EVENTS[name].fields.keys()
    }
    assert unknown == set()


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_has_a_meaning(event: str) -> None:
    assert EVENTS[event].meaning
