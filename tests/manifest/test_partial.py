"""What is told beside parts of a bundle that cannot be read: all that does not hang on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.read.load import Loaded

Found = Callable[..., Any]
NO_ID = ("error", "missing_field", "services[0].id")


def wrong(path: str) -> tuple[str, str, str]:
    return ("error", "wrong_type", path)


def test_findings_of_every_severity_are_told_beside_a_part_that_cannot_be_read(
    found: Found,
) -> None:
    other = {"id": "b", "dependencies": ["nobody"], "type": "strange", "binaries": {}}
    assert found({"id": "a", "critical": 3}, other) == [
        wrong("services[0].critical"),
        ("error", "unknown_dependency", "services[1].dependencies[0]"),
        ("service", "binary_not_defined", "services[1].binaries"),
        ("warning", "unknown_service_type", "services[1].type"),
    ]


def test_a_field_that_cannot_be_read_hides_no_other_of_its_service(found: Found) -> None:
    health = {"type": "http", "port_name": "nope"}
    assert found({"id": "a", "critical": 3, "log_dir": "../x", "health": health}) == [
        wrong("services[0].critical"),
        ("error", "probe_without_port", "services[0].health.port_name"),
        ("error", "path_escapes_root", "services[0].log_dir"),
    ]


def test_of_a_struct_that_cannot_be_read_whole_nothing_else_is_said(found: Found) -> None:
    for field in ({"type": "htp"}, {"type": "http", "retries": "x"}):
        health = {"port_name": "nope", **field}
        (error,) = found({"id": "a", "health": health})
        assert error[2] == f"services[0].health.{'retries' if 'retries' in field else 'type'}"


def test_what_only_begins_with_the_same_letters_is_told(found: Found) -> None:
    binaries = {"linux-x64": {"path": "x"}, "win-": {"path": 1}, "win-X86": {"path": "x"}}
    assert found({"id": "a", "binaries": binaries}) == [
        wrong("services[0].binaries.win-.path"),
        ("warning", "unknown_platform", "services[0].binaries.win-X86"),
    ]


def test_whom_a_service_needs_is_not_missed_while_an_id_is(
    found: Found, read_document: Callable[..., Loaded], bundle: Callable[..., Any]
) -> None:
    needy = {"id": "b", "dependencies": ["api"], "env": {"X": "${api.http}"}}
    assert found({"type": "worker"}, needy) == [NO_ID]
    assert found("api", needy) == [wrong("services[0]")]
    unread = read_document(bundle(needy) | {"services": {"api": {}}}).findings
    assert [one.path for one in unread.errors] == ["services"]


def test_what_stands_for_a_service_that_cannot_be_read_is_no_other_service(found: Found) -> None:
    for id_ in ("id", "services"):
        assert found("api", 3, {"id": id_}) == [wrong("services[0]"), wrong("services[1]")]


def test_an_environment_may_have_a_variable_of_that_name(found: Found) -> None:
    needy = {"id": "b", "dependencies": ["nobody"], "env": {"X": "${nobody.http}"}}
    missed = [
        ("error", "unknown_dependency", "services[1].dependencies[0]"),
        ("service", "unresolved_template", "services[1].env.X"),
    ]
    assert found({"id": "a", "env": {"id": 1}}, needy) == [wrong("services[0].env.id"), *missed]
    assert found({"id": "a", "env": {"ports": 1}}, needy) == [
        wrong("services[0].env.ports"),
        *missed,
    ]


@pytest.mark.parametrize("ports", [3, {"requested": [{"name": 3}]}])
def test_a_port_is_not_missed_while_ports_cannot_be_read(found: Found, ports: Any) -> None:
    client = {"id": "b", "env": {"X": "${a.http}"}, "dependencies": ["nobody"]}
    at = "services[0].ports" if ports == 3 else "services[0].ports.requested[0].name"
    assert found({"id": "a", "ports": ports, "health": {"type": "http"}}, client) == [
        wrong(at),
        ("error", "unknown_dependency", "services[1].dependencies[0]"),
    ]


def test_an_id_and_ports_that_cannot_be_read_are_both_taken_into_account(found: Found) -> None:
    needy = {"id": "c", "dependencies": ["api"], "env": {"X": "${b.http}"}}
    assert found({"type": "worker"}, {"id": "b", "ports": 3}, needy) == [
        NO_ID,
        wrong("services[1].ports"),
    ]


@pytest.mark.parametrize(
    ("secrets", "at"),
    [
        ([{"class": "user_prompt", "target": {"type": "env"}}], "secrets[0].id"),
        (["key"], "secrets[0]"),
        ("key", "secrets"),
    ],
)
def test_a_secret_is_not_missed_while_one_has_no_name(found: Found, secrets: Any, at: str) -> None:
    needy = {"id": "a", "secrets": ["key"], "dependencies": ["nobody"]}
    assert [(one[1], one[2]) for one in found(needy, secrets=secrets)] == [
        ("missing_field" if at.endswith("id") else "wrong_type", at),
        ("unknown_dependency", "services[0].dependencies[0]"),
    ]
    assert found({"type": "worker", **needy, "id": None}, secrets=secrets)[1:] == [NO_ID]


@pytest.mark.parametrize(
    "wrongly",
    [
        {"class": "user_promt", "target": {"type": "env"}},
        {"class": "user_prompt", "target": {"type": "fil", "name": "x=y"}},
        {"class": "user_prompt", "target": {"type": "fil"}, "id": "x=y"},
        {"class": 3, "target": {"type": "env"}, "generator": {"length": 2}},
    ],
)
def test_of_a_secret_that_cannot_be_read_nothing_is_said_that_may_be_meant_otherwise(
    found: Found, wrongly: dict[str, Any]
) -> None:
    """A name with = is none of a variable, but may be a file's: the type is what is wrong."""
    told = found({"id": "a", "secrets": ["gone"]}, secrets=[{"id": "key", **wrongly}])
    assert [one[1] for one in told] in (
        ["unknown_value", "unknown_secret"],
        ["wrong_type", "unknown_secret"],
    )


def test_a_service_without_an_id_is_told_of_by_its_place(
    read_document: Callable[..., Loaded], bundle: Callable[..., Any]
) -> None:
    document = bundle({"type": "worker", "log_dir": "../x"}, {"id": "b", "log_dir": "../y"})
    _, own, other = sorted(read_document(document).findings.errors, key=lambda one: one.code)
    assert (own.code, own.path, own.service) == ("path_escapes_root", "services[0].log_dir", "")
    assert own.message.startswith("service 'services[0]': path '../x'")
    assert (other.path, other.service) == ("services[1].log_dir", "b")
