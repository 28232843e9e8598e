"""The words of compose and others name the right field; what order hangs on is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.format import schema
from bundlevisor.manifest.format.shape import fields_of
from bundlevisor.manifest.read import foreign_words
from bundlevisor.manifest.read.load import Loaded

Read = Callable[..., Loaded]


@pytest.fixture
def said(bundle: Callable[..., Any], read_document: Read) -> Callable[..., list[tuple[str, str]]]:
    """What is said of a service with these fields: (severity, sentence) of foreign words."""

    def say(**service: Any) -> list[tuple[str, str]]:
        found = read_document(bundle({"id": "one", **service}, {"id": "db"})).findings
        return [
            (severity, one.message)
            for severity, part in (("error", found.errors), ("warning", found.warnings))
            for one in part
        ]

    return say


@pytest.mark.parametrize("word", ["depends_on", "dependsOn", "After", "requires", "links"])
@pytest.mark.parametrize("value", [["db"], {"db": {"condition": "service_healthy"}}, "db"])
def test_an_order_that_would_be_lost_is_an_error(said: Any, word: str, value: Any) -> None:
    assert said(**{word: value}) == [
        (
            "error",
            (
                f'services[0].{word} is no field of the format: write "dependencies": ["db"];'
                " otherwise services would start in another order."
            ),
        )
    ]


def test_it_only_warns_where_nothing_is_lost(said: Any) -> None:
    both: dict[str, Any] = {"depends_on": ["db"], "dependencies": ["db"]}
    none: dict[str, Any] = {"depends_on": []}
    ready = {"healthcheck": {"test": "x"}, "readiness": {"type": "dependencies_ready"}}
    for fields in (none, both, ready):
        assert [severity for severity, _ in said(**fields)] == ["warning"]


@pytest.mark.parametrize(
    ("word", "value", "severity", "advice"),
    [
        ("environment", ["A=1", "B=x=y"], "warning", '"env": {"A": "1", "B": "x=y"}'),
        ("environment", {"A": 1}, "warning", '"env": {"A": "1"}'),
        ("environment", 7, "warning", '"env": {"NAME": "value"}'),
        ("command", "npm start", "warning", '"binaries": {"linux-x64": {"path": "bin/x"'),
        ("working_dir", "/srv", "warning", '"cwd" in each entry of "binaries"'),
        ("healthcheck", {"test": "x"}, "error", '"health": {"type": "http", "path": "/healthz"}'),
        ("readiness_probe", {"exec": {}}, "error", '"readiness": {"type": "health_success"}'),
        ("stop_grace_period", "10s", "warning", '"stop": {"signal": "SIGTERM", "timeout_ms"'),
        ("availability", {"restart": "always"}, "warning", '"restart": {"policy": "always"}'),
        ("volumes", ["./data:/data"], "warning", '"data_dirs": ["data/x"]'),
        ("user", "nobody", "error", "all the rights of the user"),
        ("initContainers", [{}], "error", '"migrations": [{"version": "1"'),
    ],
)
def test_each_word_names_the_right_field(
    said: Any, word: str, value: Any, severity: str, advice: str
) -> None:
    ((found, sentence),) = said(**{word: value})
    assert found == severity
    assert advice in sentence


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ("restart", "always", '"restart": {"policy": "always"}'),
        ("restart", "unless-stopped", '"restart": {"policy": "always"}'),
        ("restart", "no", '"restart": {"policy": "never"}'),
        ("restart", "on-failure", '"restart": {"policy": "on_failure"}'),
        ("dependencies", {"db": {}}, '"dependencies": ["db"]'),
        ("dependencies", "db", '"dependencies": ["db"]'),
        ("env", ["A=1"], '"env": {"A": "1"}'),
        ("ports", ["8080:80"], '"ports": {"requested": [{"name": "http"}]}'),
        ("health", "/healthz", '"health": {"type": "http", "path": "/healthz"'),
    ],
)
def test_a_value_of_another_format_is_shown_as_ours(
    said: Any, field: str, value: Any, written: str
) -> None:
    ((severity, sentence),) = said(**{field: value})
    assert severity == "error"
    assert sentence.endswith(f"write {written}.") or f"write {written}," in sentence


def test_a_missing_field_shows_the_shape_to_write(
    bundle: Callable[..., Any], read_document: Read
) -> None:
    document = bundle(secrets=[{"id": "k", "class": "user_prompt"}])
    (error,) = read_document(document).findings.errors
    assert error.path == "secrets[0].target"
    assert 'add it, such as "target": {"type": "env", "name": "DB_PASSWORD"}' in error.message


def test_a_schema_is_named_without_a_warning(
    bundle: Callable[..., Any], read_document: Read
) -> None:
    for value in ("./bundle.schema.json", None, {"any": "thing"}):
        loaded = read_document({"$schema": value, **bundle()})
        assert loaded.findings.warnings == ()
        assert loaded.manifest is not None


def test_no_foreign_word_is_a_field_of_ours() -> None:
    for struct, words in foreign_words._WORDS.items():
        own = fields_of(getattr(schema, struct))
        assert own.keys().isdisjoint(words)
        for word, foreign in words.items():
            assert word == word.lower()
            assert not foreign.field or foreign.field in own


def test_what_is_shown_of_a_value_is_bounded() -> None:
    many = [f"service-{number}" for number in range(10_000)]
    said = foreign_words.foreign_word("Service", "depends_on", many, ())
    assert said is not None
    assert len(said.predicate) < 600
    assert json.loads("{" + foreign_words.written("Service", "dependencies", many) + "}")
