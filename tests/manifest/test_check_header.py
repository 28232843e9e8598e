"""What is found in a bundle as a whole, and on which hosts the control API may listen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.format.header import header
from bundlevisor.manifest.format.loopback import address_of
from bundlevisor.manifest.read.load import Loaded

ENV = {"type": "env", "name": "TOKEN"}


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ({"schema_version": "0.1"}, []),
        ({"schema_version": "v0.2"}, [("error", "schema_version_unsupported", "schema_version")]),
        ({"schema_version": ""}, [("error", "schema_version_unsupported", "schema_version")]),
        ({"target": "mobile"}, [("error", "target_unsupported", "target")]),
        ({"ports": {"default_range": {"min": 0, "max": 0}, "reserved": None}}, []),
        (
            {"ports": {"default_range": {"min": 50000, "max": 49000}}},
            [("error", "port_range_inverted", "ports.default_range")],
        ),
        (
            {"telemetry": {"file": "../../t.jsonl"}},
            [("error", "path_escapes_root", "telemetry.file")],
        ),
        ({"telemetry": {"file": "a\\..\\b.jsonl"}}, []),
        ({"secrets": [{"id": "a", "class": "user_prompt", "target": ENV}]}, []),
        (
            {
                "secrets": [
                    {"id": "a", "class": "user_prompt", "target": ENV},
                    {"id": "a", "class": "remote_fetch", "target": ENV},
                ]
            },
            [("error", "duplicate_secret_id", "secrets[1].id")],
        ),
        (
            {"secrets": [{"id": "a", "class": "infrastructure", "target": ENV}]},
            [("error", "infrastructure_secret", "secrets[0].class")],
        ),
        (
            {"secrets": [{"id": "a", "class": "user_prompt", "format": "(", "target": ENV}]},
            [("error", "invalid_pattern", "secrets[0].format")],
        ),
        (
            {"secrets": [{"id": "a", "class": "user_prompt", "format": "(?=a)b", "target": ENV}]},
            [("error", "invalid_pattern", "secrets[0].format")],
        ),
        (
            {"secrets": [{"id": "a=b", "class": "user_prompt", "target": {"type": "env"}}]},
            [("error", "invalid_env_name", "secrets[0].id")],
        ),
        (
            {
                "secrets": [
                    {"id": "a", "class": "user_prompt", "target": {"type": "file", "name": "../x"}}
                ]
            },
            [("error", "path_escapes_root", "secrets[0].target.name")],
        ),
        (
            {
                "secrets": [
                    {
                        "id": "a",
                        "class": "user_prompt",
                        "target": {"type": "file", "name": "${data}/x"},
                    }
                ]
            },
            [],
        ),
        (
            {
                "secrets": [
                    {
                        "id": "a",
                        "class": "user_prompt",
                        "target": {"type": "file", "name": "Secrets.json"},
                    }
                ]
            },
            [("error", "path_taken", "secrets[0].target.name")],
        ),
        (
            {
                "secrets": [
                    {
                        "id": "a",
                        "class": "user_prompt",
                        "target": {"type": "file", "name": "./runtime//auth-token"},
                    }
                ]
            },
            [("error", "path_taken", "secrets[0].target.name")],
        ),
    ],
)
def test_the_bundle_as_a_whole(found: Callable[..., Any], top: Any, expected: Any) -> None:
    assert found(**top) == expected


@pytest.mark.parametrize("mode", ["loopback-http", "http"])
def test_both_ipc_modes_are_taken(found: Callable[..., Any], mode: str) -> None:
    ipc = {"mode": mode, "host": "localhost", "port": 0, "auth_token_path": "t"}
    assert found(ipc=ipc) == []


def test_another_ipc_mode_and_a_token_outside_are_errors(found: Callable[..., Any]) -> None:
    ipc = {"mode": "pipe", "host": "127.0.0.1", "port": 2, "auth_token_path": "C:\\token"}
    assert found(ipc=ipc) == [
        ("error", "path_escapes_root", "ipc.auth_token_path"),
        ("error", "ipc_mode_unsupported", "ipc.mode"),
    ]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.255.3.4", "127.255.3.4"),
        (" 127.0.0.1 ", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("LocalHost.", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("0.0.0.0", ""),
        ("::", ""),
        ("127.0.0.256", ""),
        ("127.0.0.01", ""),
        ("127.0.0.1.evil.com", ""),
        ("127.0.0", ""),
        ("127.1", ""),
        ("localhost.evil.com", ""),
        ("192.168.1.1", ""),
        ("127.0.0.١", ""),
        ("127.0.0." + "1" * 5000, ""),
        ("", ""),
    ],
)
def test_only_loopback_hosts_have_an_address(host: str, address: str) -> None:
    assert address_of(host) == address


def test_what_a_new_bundle_begins_with_is_right_and_lets_the_system_choose_the_port(
    read_document: Callable[..., Loaded],
) -> None:
    service = {"id": "page", "binaries": {"universal": {"path": "page"}}, "type": "ui-bundle"}
    loaded = read_document({**header("Notes", "1.0.0"), "services": [service]})
    assert loaded.findings.errors == loaded.findings.warnings == ()
    assert loaded.manifest is not None
    assert (loaded.manifest.app.name, loaded.manifest.app.version) == ("Notes", "1.0.0")
    assert loaded.manifest.ipc.port == 0
    assert (loaded.manifest.ipc.host, loaded.manifest.ipc.mode) == ("127.0.0.1", "loopback-http")
    assert loaded.manifest.ipc.auth_token_path == "runtime/auth-token"
    assert loaded.manifest.telemetry.file == "telemetry/events.jsonl"
