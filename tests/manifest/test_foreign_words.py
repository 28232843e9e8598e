"""The words of compose and others name the right field; what order hangs on is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.format import fields, schema
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
    for written in (none, both, ready):
        assert [severity for severity, _ in said(**written)] == ["warning"]


@pytest.mark.parametrize(
    ("word", "value", "severity", "advice"),
    [
        ("environment", ["A=1", "B=x=y"], "warning", '"env": {"A": "1", "B": "x=y"}'),
        ("environment", {"A": 1}, "warning", '"env": {"A": "1"}'),
        ("run_mode", "on_demand", "warning", 'write "metadata": {"run_mode": "on_demand"}'),
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


MANY = [f"s{number}" for number in range(30)]


@pytest.mark.parametrize(
    ("struct", "field", "value", "ours"),
    [
        ("Service", "restart", " Always ", {"policy": "always"}),
        ("Service", "restart", "exit_on_failure", {"policy": "on_failure"}),
        ("Service", "restart", "sometimes", None),
        ("Service", "restart", 3, None),
        ("RestartPolicy", "restart", "always", None),
        ("Service", "dependencies", "db", ["db"]),
        ("Service", "dependencies", ["a", 3, "b"], ["a", "b"]),
        ("Service", "dependencies", {"a": {"condition": "x"}, "b": None}, ["a", "b"]),
        ("Service", "dependencies", MANY, MANY[:20]),
        ("Service", "dependencies", [3, *MANY], MANY[:19]),
        ("Service", "dependencies", [3], None),
        ("Service", "dependencies", 3, None),
        ("Manifest", "dependencies", ["a"], None),
        ("Service", "env", ["A=1", "B", "C=", "D=x=y", 3], {"A": "1", "C": "", "D": "x=y"}),
        (
            "Service",
            "env",
            {"A": 1, "B": None, "C": True, "D": "x"},
            {"A": "1", "C": "true", "D": "x"},
        ),
        ("Migration", "env", {"A": [1.5, None]}, {"A": "[1.5,null]"}),
        ("Service", "env", [f"{one}=1" for one in MANY], dict.fromkeys(MANY[:20], "1")),
        ("Service", "env", dict.fromkeys(MANY, "1"), dict.fromkeys(MANY[:20], "1")),
        ("Service", "env", ["A"], None),
        ("Service", "env", {"A": None}, None),
        ("Service", "env", "A=1", None),
        ("Health", "command", "curl -f  localhost", ["curl", "-f", "localhost"]),
        ("Migration", "command", " ".join(MANY), MANY[:20]),
        ("Migration", "command", " ", None),
        ("Migration", "command", {"a": 1}, None),
        ("Service", "log_dir", "x", None),
    ],
)
def test_what_a_value_of_another_format_is_here(
    struct: str, field: str, value: Any, ours: Any
) -> None:
    assert foreign_words.spelled(struct, field, value) == ours
    shown = fields.example(struct, field) if ours is None else ours
    if shown is not None:
        assert foreign_words.written(struct, field, value) == f'"{field}": {json.dumps(shown)}'


ORDER = "; otherwise services would start in another order"
READY = "; otherwise others would start before it is ready"


@pytest.mark.parametrize(
    ("struct", "word", "value", "present", "said"),
    [
        ("Service", "name", "api", ["name"], ('write "id"', False)),
        ("Service", "name", "api", ["id", "name"], None),
        ("Manifest", "version", 3, ["version"], ('write "schema_version": "v0.1"', False)),
        ("Manifest", "version", 3, ["version", "schema_version"], None),
        ("Manifest", "id", 3, [], None),
        ("Ipc", "name", "api", [], None),
        ("Service", "Links", ["a"], ["links"], (f'write "dependencies": ["a"]{ORDER}', True)),
        ("Service", "links", ["a"], ["dependencies"], ('write "dependencies": ["a"]', False)),
        ("Service", "links", [], [], ('write "dependencies": ["ID"]', False)),
        ("Service", "links", [3], [], (f'write "dependencies": ["ID"]{ORDER}', True)),
        ("Service", "ready", True, [],
         (f'write "readiness": {{"type": "health_success"}} and "health"{READY}', True)),
        ("Service", "ready", True, ["health"],
         ('write "readiness": {"type": "health_success"} and "health"', False)),
        ("Service", "liveness", {"a": 1}, ["readiness"],
         ('write "health": {"type": "http", "path": "/healthz"}', False)),
        ("Service", "liveness", {"a": 1}, ["dependencies"],
         (f'write "health": {{"type": "http", "path": "/healthz"}}{READY}', True)),
        ("Service", "tty", True, [], ("services are programs, not containers; remove it", False)),
        ("Health", "test", "curl x", [],
         ('write "type": "command" and "command": ["bin/check"]', False)),
        ("Service", "restart_policy", "always", [],
         ('write "restart": {"policy": "always"}', False)),
        ("Service", "restart_policy", 3, [],
         ('write "restart": {"policy": "always"} (or on_failure, never)', False)),
    ],
)  # fmt: skip
def test_what_is_said_of_a_foreign_word(
    struct: str, word: str, value: Any, present: list[str], said: tuple[str, bool] | None
) -> None:
    expected = said and foreign_words.Remark(f"is no field of the format: {said[0]}", said[1])
    assert foreign_words.foreign_word(struct, word, value, present) == expected
