"""The rules that concern services, as a table: what is found, how grave it is, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.read.load import parse

HTTP = {"requested": [{"name": "http"}]}


def test_a_plain_bundle_has_no_findings(found: Callable[..., Any]) -> None:
    assert found({"id": "one"}) == []


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        # ids
        ([{"id": "a"}, {"id": "a"}], [("error", "duplicate_service_id", "services[1].id")]),
        ([{"id": "a"}, {"id": "A"}], [("warning", "ids_differ_in_case", "services[1].id")]),
        ([{"id": "-a"}], [("error", "invalid_service_id", "services[0].id")]),
        ([{"id": ".a"}], [("error", "invalid_service_id", "services[0].id")]),
        ([{"id": "a/b"}], [("error", "invalid_service_id", "services[0].id")]),
        ([{"id": "é"}], [("error", "invalid_service_id", "services[0].id")]),
        ([{"id": "x" * 129}], [("error", "invalid_service_id", "services[0].id")]),
        ([{"id": "x" * 128}], []),
        ([{"id": "0.a_b-C"}], []),
        ([{"id": "con"}], [("warning", "id_is_device", "services[0].id")]),
        # types
        (
            [{"id": "a", "type": "backend"}],
            [("warning", "unknown_service_type", "services[0].type")],
        ),
        ([{"id": "a", "type": "worker"}, {"id": "b", "type": "resource"}], []),
        # run_mode
        (
            [{"id": "a", "metadata": {"run_mode": "on-demand"}}],
            [("warning", "unknown_run_mode", "services[0].metadata.run_mode")],
        ),
        ([{"id": "a", "metadata": {"run_mode": "on_demand"}}], []),
        ([{"id": "a", "metadata": {"run_mode": "eager"}}], []),
        ([{"id": "a", "metadata": {"run_mode": 1}}], []),
        # dependencies
        (
            [{"id": "a", "dependencies": ["b"]}],
            [("error", "unknown_dependency", "services[0].dependencies[0]")],
        ),
        (
            [{"id": "a", "dependencies": ["a"]}],
            [("error", "dependency_cycle", "services[0].dependencies")],
        ),
        (
            [
                {"id": "a", "dependencies": ["b"]},
                {"id": "b", "dependencies": ["a"]},
                {"id": "c", "dependencies": ["d"]},
                {"id": "d", "dependencies": ["c"]},
            ],
            [
                ("error", "dependency_cycle", "services[0].dependencies"),
                ("error", "dependency_cycle", "services[2].dependencies"),
            ],
        ),
        (
            [{"id": "a"}, {"id": "b", "dependencies": ["a", "a"]}],
            [("warning", "duplicate_dependency", "services[1].dependencies[1]")],
        ),
        (
            [{"id": "a", "secrets": ["key"]}],
            [("error", "unknown_secret", "services[0].secrets[0]")],
        ),
        # binaries
        (
            [{"id": "a", "binaries": {}}],
            [("service", "binary_not_defined", "services[0].binaries")],
        ),
        (
            [{"id": "a", "binaries": {"linux-x64": {"path": ""}}}],
            [("service", "binary_not_defined", "services[0].binaries.linux-x64.path")],
        ),
        (
            [{"id": "a", "binaries": {"win-x64": {"path": "x"}}}],
            [("service", "binary_not_defined", "services[0].binaries")],
        ),
        ([{"id": "a", "binaries": {"Linux-AMD64": {"path": "x"}}}], []),
        ([{"id": "a", "binaries": {"universal": {"path": "x"}}}], []),
        (
            [{"id": "a", "binaries": {"universal": {"path": "x"}, "linux-x46": {"path": "y"}}}],
            [("warning", "unknown_platform", "services[0].binaries.linux-x46")],
        ),
        (
            [{"id": "a", "type": "ui-bundle", "binaries": {}}],
            [("service", "binary_not_defined", "services[0].binaries")],
        ),
        (
            [{"id": "a", "type": "ui-bundle", "binaries": {}, "assets": [{"path": "u/i.html"}]}],
            [("service", "ui_without_port", "services[0].ports")],
        ),
        (
            [
                {
                    "id": "a",
                    "type": "ui-bundle",
                    "binaries": None,
                    "assets": [{"path": "u/index.html"}],
                    "ports": HTTP,
                }
            ],
            [],
        ),
        # paths
        (
            [{"id": "a", "data_dirs": ["ok", "/abs", "x/../../y"]}],
            [
                ("error", "path_escapes_root", "services[0].data_dirs[1]"),
                ("error", "path_escapes_root", "services[0].data_dirs[2]"),
            ],
        ),
        (
            [{"id": "a", "assets": [{"path": "..\\x"}, {"path": "\\\\server\\share"}]}],
            [
                ("error", "path_escapes_root", "services[0].assets[0].path"),
                ("error", "path_escapes_root", "services[0].assets[1].path"),
            ],
        ),
        (
            [{"id": "a", "binaries": {"linux-x64": {"path": "../x", "cwd": "/tmp"}}}],
            [
                ("error", "path_escapes_root", "services[0].binaries.linux-x64.cwd"),
                ("error", "path_escapes_root", "services[0].binaries.linux-x64.path"),
            ],
        ),
        ([{"id": "a", "binaries": {"linux-x64": {"path": "x", "cwd": "${data}/w"}}}], []),
        ([{"id": "a", "binaries": {"linux-x64": {"path": "x", "cwd": "${bundle}"}}}], []),
        (
            [{"id": "a", "binaries": {"linux-x64": {"path": "x", "cwd": "${data}/../w"}}}],
            [("error", "path_escapes_root", "services[0].binaries.linux-x64.cwd")],
        ),
        # environment
        (
            [{"id": "a", "env": {"": "x", "A=B": "y"}}],
            [
                ("error", "invalid_env_name", 'services[0].env[""]'),
                ("error", "invalid_env_name", 'services[0].env["A=B"]'),
            ],
        ),
        ([{"id": "a", "env": {"PATH": "x", "Path": "y"}}], []),
        (
            [
                {
                    "id": "a",
                    "env": {"PATH": "x", "Path": "y"},
                    "binaries": {"linux-x64": {"path": "x"}, "win-x64": {"path": "x"}},
                }
            ],
            [("warning", "env_names_differ_in_case", "services[0].env.Path")],
        ),
        # ports
        (
            [{"id": "a", "ports": {"requested": [{"name": "p"}, {"name": "p"}]}}],
            [("error", "duplicate_port_name", "services[0].ports.requested[1].name")],
        ),
        (
            [{"id": "a", "ports": {"requested": [{"name": "a-b"}, {"name": "a_b"}]}}],
            [("warning", "port_variable_shared", "services[0].ports.requested[1].name")],
        ),
        (
            [{"id": "a", "ports": {"requested": [{"name": "p", "range": {"min": 9, "max": 8}}]}}],
            [("error", "port_range_inverted", "services[0].ports.requested[0].range")],
        ),
        (
            [
                {
                    "id": "a",
                    "ports": {"requested": [{"name": "p", "range": {"min": 47710, "max": 47710}}]},
                }
            ],
            [("service", "port_range_exhausted", "services[0].ports.requested[0]")],
        ),
        (
            [
                {
                    "id": "a",
                    "ports": {"requested": [{"name": "p", "range": {"min": 6000, "max": 6000}}]},
                }
            ],
            [("warning", "port_refused_by_browsers", "services[0].ports.requested[0]")],
        ),
        # migrations and assets
        (
            [
                {
                    "id": "a",
                    "migrations": [
                        {"version": "1", "command": ["m"]},
                        {"version": "1", "command": []},
                        {"version": "2", "command": ["/bin/sh"]},
                        {"version": "3", "command": ["${data}/m", "/any/where"]},
                    ],
                }
            ],
            [
                ("error", "empty_command", "services[0].migrations[1].command"),
                ("error", "duplicate_migration", "services[0].migrations[1].version"),
                ("error", "path_escapes_root", "services[0].migrations[2].command[0]"),
            ],
        ),
        (
            [{"id": "a", "assets": [{"path": "x", "sha256": "abc123"}]}],
            [("warning", "checksum_malformed", "services[0].assets[0].sha256")],
        ),
        ([{"id": "a", "assets": [{"path": "x", "sha256": "AB" * 32}]}], []),
        # restart
        (
            [{"id": "a", "restart": {"backoff_ms": 500, "backoff_max_ms": 100}}],
            [("warning", "backoff_inverted", "services[0].restart")],
        ),
        ([{"id": "a", "restart": {"backoff_ms": 100, "backoff_max_ms": 100}}], []),
    ],
)
def test_services(found: Callable[..., Any], services: Any, expected: Any) -> None:
    assert found(*services) == expected


def test_windows_has_its_own_names_signals_and_devices(found: Callable[..., Any]) -> None:
    service = {
        "id": "a",
        "binaries": {"win-x64": {"path": "bin/aux.exe"}},
        "env": {"Path": "x", "PATH": "y"},
        "data_dirs": ["ab:c", "c."],
        "stop": {"signal": "SIGUSR1"},
        "readiness": {"type": "notify"},
    }
    assert found(service, platform="win-x64") == [
        ("error", "path_not_allowed", "services[0].binaries.win-x64.path"),
        ("error", "path_not_allowed", "services[0].data_dirs[0]"),
        ("error", "path_not_allowed", "services[0].data_dirs[1]"),
        ("warning", "env_names_differ_in_case", "services[0].env.PATH"),
        ("warning", "notify_by_lines", "services[0].readiness.type"),
        ("warning", "signal_unknown", "services[0].stop.signal"),
    ]
    assert [code for _, code, _ in found(service)] == [
        "binary_not_defined",
        "env_names_differ_in_case",
    ]


def test_of_two_secrets_in_one_variable_a_service_finds_one(found: Callable[..., Any]) -> None:
    targets = {"a": "", "b": "A", "c": "a", "d": "D"}
    secrets = [
        {"id": id_, "class": "user_prompt", "target": {"type": "env", "name": name}}
        for id_, name in targets.items()
    ]
    secrets.append({"id": "A", "class": "user_prompt", "target": {"type": "file", "name": "x"}})
    binaries = {"linux-x64": {"path": "x"}, "win-x64": {"path": "x"}}
    both = {"id": "s", "binaries": binaries, "secrets": ["d", "a", "A", "c", "b", "a"]}
    apart = ({"id": id_, "binaries": binaries, "secrets": [id_, "d"]} for id_ in "abc")
    services = [both, *apart]
    shared = ("warning", "secret_variable_shared", "services[0].secrets[4]")
    assert found(*services, secrets=secrets) == [shared]
    assert found(*services, secrets=secrets, platform="win-x64") == [
        ("warning", "secret_variable_shared", "services[0].secrets[3]"),
        shared,
    ]


def test_an_emulated_binary_is_a_warning(found: Callable[..., Any]) -> None:
    service = {"id": "a", "binaries": {"mac-amd64": {"path": "x"}}}
    assert found(service, platform="darwin-arm64") == [
        ("warning", "binary_emulated", "services[0].binaries.mac-amd64")
    ]


def test_a_large_bundle_full_of_mistakes_is_checked_in_linear_steps(
    bundle: Callable[..., Any],
) -> None:
    """Ten times the services must not take a hundred times the work: counted, not timed."""
    services = [
        {
            "id": f"service-{number}",
            "dependencies": [f"servise-{number}", f"service-{(number + 1) % 400}"],
            "env": {"A": f"${{servize-{number}.http}}"},
            "ports": HTTP,
        }
        for number in range(400)
    ]
    findings = parse(json.dumps(bundle(*services)).encode(), "linux-x64").findings
    hinted = [finding for finding in findings.errors if "did you mean" in finding.message]
    assert len(findings.errors) == 401
    assert len(hinted) <= 100
    assert [finding.code for finding in findings.errors].count("dependency_cycle") == 1
