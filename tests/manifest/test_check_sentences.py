"""Findings of services: their sentences, and what they leave startable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.format.findings import Finding
from bundlevisor.manifest.read.load import Loaded

HTTP = {"requested": [{"name": "http"}]}


def only(loaded: Loaded) -> Finding:
    findings = loaded.findings
    (finding,) = (*findings.errors, *findings.service_errors, *findings.warnings)
    return finding


def test_a_template_that_names_no_port_fails_only_its_service(found: Callable[..., Any]) -> None:
    services = (
        {"id": "playwright-driver", "ports": HTTP},
        {
            "id": "a",
            "env": {"URL": "${playwright.http}", "HOME2": "${HOME}", "D": "${data}${x.y.z}"},
            "binaries": {
                "linux-x64": {"path": "x", "args": ["${a.http}"], "cwd": "${bundle}"},
                "win-x64": {"path": "x", "args": ["${gone.http}"]},
            },
            "health": {"type": "command", "command": ["c", "${b.http}"]},
            "migrations": [{"version": "1", "command": ["m"], "env": {"P": "${c.http}"}}],
        },
    )
    assert found(*services) == [
        ("service", "unresolved_template", "services[1].binaries.linux-x64.args[0]"),
        ("service", "unresolved_template", "services[1].env.URL"),
        ("service", "unresolved_template", "services[1].health.command[1]"),
        ("service", "unresolved_template", "services[1].migrations[0].env.P"),
        ("warning", "unresolved_template", "services[1].binaries.win-x64.args[0]"),
    ]


def test_a_service_error_leaves_the_bundle_startable(
    bundle: Callable[..., Any], read_document: Callable[..., Loaded]
) -> None:
    loaded = read_document(bundle({"id": "a", "env": {"X": "${b.c}"}}, {"id": "b"}))
    assert loaded.manifest is not None
    assert loaded.findings.ok
    assert [(found.service, found.code) for found in loaded.findings.service_errors] == [
        ("a", "unresolved_template")
    ]


@pytest.mark.parametrize(
    ("services", "words"),
    [
        (
            [
                {"id": "a", "dependencies": ["b"]},
                {"id": "b", "dependencies": ["c"]},
                {"id": "c", "dependencies": ["a"]},
            ],
            "a → b → c → a",
        ),
        ([{"id": "api", "dependencies": ["api"]}], "api → api"),
        (
            [{"id": "api", "dependencies": ["databse"]}, {"id": "database"}],
            "service 'api': there is no service 'databse' to depend on (did you mean 'database'?)",
        ),
        (
            [
                {"id": "playwright-driver", "ports": HTTP},
                {"id": "b", "env": {"U": "${playwright.http}"}},
            ],
            "did you mean '${playwright-driver.http}'?",
        ),
        (
            [{"id": "a", "health": {"type": "tcp", "port_name": "htp"}, "ports": HTTP}],
            "service 'a': it has no port 'htp' (did you mean 'http'?); it has 'http'.",
        ),
        (
            [{"id": "a", "binaries": {"darwin-x64": {"path": "x"}}}],
            "there is no binary for linux-x64 (only for 'darwin-x64'); add a 'linux-x64' entry",
        ),
        (
            [{"id": "a", "binaries": {"win-x64": {}, "linux-amd64": {"args": ["x"]}}}],
            "service 'a': its 'linux-amd64' binary names no program; add its path.",
        ),
    ],
)
def test_the_sentence_names_the_thing_and_the_remedy(
    bundle: Callable[..., Any], read_document: Callable[..., Loaded], services: Any, words: str
) -> None:
    assert words in only(read_document(bundle(*services))).message
