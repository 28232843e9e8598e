"""Templates: what is replaced, what stays, what is an error."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.format.schema import Binary, Migration, Service
from bundlevisor.manifest.format.secret import Secret, SecretTarget
from bundlevisor.manifest.format.suggest import COMPARED
from bundlevisor.manifest.plan.template import (
    Scope,
    Unresolved,
    near_ports,
    references,
    render,
    split,
    unresolved,
)
from bundlevisor.manifest.plan.template_uses import ports_named

LONGEST = "x" * 510
"""With a service of one letter and the dot it is as long as a reference may be."""
SCOPE = Scope(
    data="/data",
    bundle="/bundle",
    ports={
        "api": {"http": 1, "admin": 2},
        "my.dotted-svc": {"http": 3, "a.b": 5},
        "playwright-driver": {"http": 4},
        "bare": {},
        "k": {"http": 6, LONGEST: 7, f"{LONGEST}x": 8},
    },
)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${data}", "/data"),
        ("file:${data}/x?b=${bundle}", "file:/data/x?b=/bundle"),
        ("http://127.0.0.1:${api.http}/", "http://127.0.0.1:1/"),
        ("${my.dotted-svc.http}", "3"),
        ("${my.dotted-svc.a.b}", "5"),
        ("${HOME}", "${HOME}"),
        ("${}", "${}"),
        ("${ data }", "${ data }"),
        ("${data", "${data"),
        ("$data $$ {data}", "$data $$ {data}"),
        ("${a:-b.c}", "${a:-b.c}"),
        ("${process.env.HOME}", "${process.env.HOME}"),
        ("${.x}${x.}", "${.x}${x.}"),
        ("${a${data}}", "${a/data}"),
        ("$${data}", "$/data"),
        ("${é.x}", "${é.x}"),
        ("}${data}{", "}/data{"),
        ("${k.http}", "6"),
        ("${-a.x}${a-.x}", "${-a.x}${a-.x}"),
        (f"${{k.{LONGEST}}}", "7"),
        (f"${{k.{LONGEST}x}}", f"${{k.{LONGEST}x}}"),
        (f"${{q.{LONGEST}x}}", f"${{q.{LONGEST}x}}"),
    ],
)
def test_a_text_is_rendered(text: str, rendered: str) -> None:
    assert render(text, SCOPE) == rendered


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("${playwright.http}", ["playwright-driver.http"]),
        ("${api.htpp}", ["api.http", "api.admin"]),
        ("${apii.http}", ["api.http"]),
        ("${bare.http}", ["api.http"]),
        ("${my.doted-svc.http}", ["my.dotted-svc.http"]),
        ("${zzzzzz.qqqq}", []),
    ],
)
def test_a_reference_that_names_no_port_is_told_with_near_ones(text: str, near: list[str]) -> None:
    with pytest.raises(Unresolved) as raised:
        render(text, SCOPE)
    told = str(raised.value)
    assert told.startswith(f"{text} names no port")
    named = re.findall(r"'\$\{(.+?)\}'", told)
    assert named[: len(near)] == near


def test_the_error_of_a_stranger_says_that_there_is_none() -> None:
    with pytest.raises(Unresolved, match="no service has such a port"):
        render("${zzzzzz.qqqq}", SCOPE)


def test_references_are_the_known_pairs() -> None:
    text = "${api.http}${data}${my.dotted-svc.http}${gone.http}${api.http}"
    assert references(text, SCOPE.ports) == {("api", "http"), ("my.dotted-svc", "http")}
    assert unresolved(text, SCOPE.ports) == ["gone.http"]


def test_the_longest_reference_that_names_no_port_is_an_error() -> None:
    with pytest.raises(Unresolved):
        render(f"${{q.{LONGEST}}}", SCOPE)


def test_several_near_ports_are_told_as_a_choice() -> None:
    told = str(Unresolved("a.b", ["x.y", "x.z"]))
    assert told == "${a.b} names no port; did you mean '${x.y}' or '${x.z}'?"


def test_a_port_stands_behind_a_service() -> None:
    assert split(".x", {"": ("x",)}) is None


def test_services_with_dots_are_compared_with_the_first_ones_only() -> None:
    many: dict[str, tuple[str, ...]] = {f"s{number}": () for number in range(COMPARED)}
    last: dict[str, tuple[str, ...]] = {"my.service": ("http",)}
    assert unresolved("${my.servic.http}", last) == ["my.servic.http"]
    assert unresolved("${my.servic.http}", many | last) == []


def test_the_ports_of_the_service_itself_are_near_and_three_are_told() -> None:
    ports = {"my.svc": ("http", "admin"), "other": ("x",)}
    assert near_ports("my.svc.qqqqqqqq", ports) == ["my.svc.http", "my.svc.admin"]
    ports = {"api": ("x",), "api1": ("http",), "api2": ("http",), "api3": ("http",)}
    assert near_ports("api.http", ports) == ["api1.http", "api2.http", "api3.http"]


def test_near_ports_are_few() -> None:
    ports = {f"api{number}": ["http"] for number in range(50)}
    assert len(near_ports("api.http", ports)) == 3


@given(st.text("${}dataapi.http-_ x"))
def test_rendering_is_refused_exactly_when_something_is_unresolved(text: str) -> None:
    missing = unresolved(text, SCOPE.ports)
    if missing:
        with pytest.raises(Unresolved):
            render(text, SCOPE)
    else:
        rendered = render(text, SCOPE)
        assert rendered == text or "${" in text


def test_a_service_names_the_ports_of_all_its_texts() -> None:
    secret = Secret(
        id="s", class_="user_prompt", target=SecretTarget(type="file", name="x-${api.admin}")
    )
    service = Service(
        id="one",
        env={"A": "${api.http}"},
        secrets=["s", "unknown"],
        binaries={
            "linux-x64": Binary(path="x", args=["${playwright-driver.http}"]),
            "win-x64": Binary(path="x", args=["${my.dotted-svc.http}"]),
        },
        health=Health(type="command", command=["c", "${bundle}"]),
        migrations=[Migration(version="1", command=["m"], env={"B": "${my.dotted-svc.a.b}"})],
    )
    assert ports_named(service, {"s": secret}, "linux-x64", SCOPE.ports) == {
        ("api", "http"),
        ("api", "admin"),
        ("playwright-driver", "http"),
        ("my.dotted-svc", "a.b"),
    }
