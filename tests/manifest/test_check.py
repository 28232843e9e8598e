"""The cross-field rules, as a table: what is found, how grave it is, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.format.findings import Finding
from bundlevisor.manifest.format.loopback import address_of
from bundlevisor.manifest.read.load import Loaded, parse

HTTP = {"requested": [{"name": "http"}]}
TWO = {"requested": [{"name": "http"}, {"name": "admin"}]}
ENV = {"type": "env", "name": "TOKEN"}


def only(loaded: Loaded) -> Finding:
    findings = loaded.findings
    (finding,) = (*findings.errors, *findings.service_errors, *findings.warnings)
    return finding


def test_a_plain_bundle_has_no_findings(found: Callable[..., Any]) -> None:
    assert found({"id": "one"}) == []


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


@pytest.mark.parametrize(
    "name",
    [
        "migrations.json",
        "runtime/instance.json",
        "RUNTIME\\lock",
        "${data}/runtime/ports.json",
        "runtime",
        "secrets.json/inner",
        "snapshots/api/snapshot.json",
        "telemetry.jsonl",
        "telemetry.jsonl.1",
    ],
)
def test_no_file_secret_and_no_log_lies_upon_what_the_runtime_keeps(
    found: Callable[..., Any], name: str
) -> None:
    target = {"type": "file", "name": name}
    taken = found(secrets=[{"id": "a", "class": "user_prompt", "target": target}])
    assert taken == [("error", "path_taken", "secrets[0].target.name")]
    if name.endswith((".json", ".jsonl")) and not name.startswith("$"):
        taken = found({"id": "a", "log_dir": name})
        assert taken == [("error", "path_taken", "services[0].log_dir")]


def file_secret(id_: str, name: str) -> dict[str, Any]:
    return {"id": id_, "class": "user_prompt", "target": {"type": "file", "name": name}}


SHARED = [("error", "path_shared", "secrets[1].target.name")]
BESIDE = [("warning", "path_shared", "secrets[1].target.name")]


@pytest.mark.parametrize(
    ("first", "second", "platform", "expected"),
    [
        ("keys/a", "keys/a", "linux-x64", SHARED),
        ("keys/a", "./keys\\a", "linux-x64", SHARED),
        ("keys/a", "${data}/keys/x/../a", "linux-x64", SHARED),
        ("keys", "keys/a", "linux-x64", SHARED),
        ("keys/a", "keys", "linux-x64", SHARED),
        ("keys/a", "Keys/A", "win-x64", SHARED),
        ("keys/a", "Keys/A", "darwin-arm64", SHARED),
        ("keys/a", "Keys/A", "linux-x64", BESIDE),
        ("keys", "Keys/a", "linux-x64", BESIDE),
        ("keys/a", "keys/b", "linux-x64", []),
        ("keys/a", "key", "linux-x64", []),
        ("keys/a", "keys/a.1", "linux-x64", []),
    ],
)
def test_two_file_secrets_at_one_path(
    found: Callable[..., Any], first: str, second: str, platform: str, expected: Any
) -> None:
    services = [
        {"id": "one", "secrets": ["a"], "binaries": {"universal": {"path": "x"}}},
        {"id": "two", "secrets": ["b"], "binaries": {"universal": {"path": "x"}}},
    ]
    secrets = [file_secret("a", first), file_secret("b", second)]
    assert found(*services, secrets=secrets, platform=platform) == expected


def test_two_file_secrets_at_one_path_in_one_service(found: Callable[..., Any]) -> None:
    secrets = [file_secret("a", "key"), file_secret("b", "key")]
    assert found({"id": "one", "secrets": ["a", "b"]}, secrets=secrets) == SHARED


def test_a_file_secret_that_nobody_is_given_only_warns(found: Callable[..., Any]) -> None:
    secrets = [file_secret("a", "key"), file_secret("b", "key")]
    assert found({"id": "one", "secrets": ["a"]}, secrets=secrets) == BESIDE


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("logs/one.log", {}),
        ("logs/one.log.2", {}),
        ("logs", {}),
        ("out/all.log", {"log_dir": "out/all.log"}),
        ("out/one.log", {"log_dir": "out\\"}),
        ("db", {"data_dirs": ["db"]}),
        ("db", {"data_dirs": ["./db/files"]}),
    ],
)
def test_a_file_secret_in_the_place_of_a_log_or_of_a_data_folder(
    found: Callable[..., Any], name: str, service: dict[str, Any]
) -> None:
    one = {"id": "one", "secrets": ["a"], **service}
    taken = found(one, secrets=[file_secret("a", name)])
    assert taken == [("error", "path_shared", "secrets[0].target.name")]


def test_a_file_secret_in_a_data_folder_or_beside_a_log_is_fine(found: Callable[..., Any]) -> None:
    secrets = [file_secret("a", "db/key"), file_secret("b", "logs/key")]
    one = {"id": "one", "secrets": ["a", "b"], "data_dirs": ["db"]}
    assert found(one, secrets=secrets) == []


@pytest.mark.parametrize("log_dir", ["logs", "runtime", "snapshots.d", "x/a.log"])
def test_a_log_beside_the_runtime_s_files_is_fine(found: Callable[..., Any], log_dir: str) -> None:
    assert found({"id": "a", "log_dir": log_dir}) == []


@pytest.mark.parametrize("folder", [".", "${data}", "runtime", "snapshots/mine"])
def test_data_among_the_runtime_s_files_has_no_way_back(
    found: Callable[..., Any], folder: str
) -> None:
    upgrade = {"version": "2", "command": ["bin/m"], "run_on": "upgrade"}
    service = {"id": "a", "data_dirs": ["own", folder], "migrations": [upgrade]}
    expected = [("warning", "snapshot_impossible", "services[0].data_dirs[1]")]
    assert found(service) == expected
    assert found({**service, "migrations": [{**upgrade, "run_on": "always"}]}) == []


@pytest.mark.parametrize("mode", ["loopback-http", "http"])
def test_both_ipc_modes_are_taken(found: Callable[..., Any], mode: str) -> None:
    ipc = {"mode": mode, "host": "localhost", "port": 0, "auth_token_path": "t"}
    assert found(ipc=ipc) == []


def test_another_ipc_mode_and_a_token_outside_are_errors(found: Callable[..., Any]) -> None:
    ipc = {"mode": "pipe", "host": "127.0.0.1", "port": 1, "auth_token_path": "C:\\token"}
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
        ([{"id": "0.a_b-C"}], []),
        ([{"id": "con"}], [("warning", "id_is_device", "services[0].id")]),
        # types
        (
            [{"id": "a", "type": "backend"}],
            [("warning", "unknown_service_type", "services[0].type")],
        ),
        ([{"id": "a", "type": "worker"}, {"id": "b", "type": "resource"}], []),
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
            [("service", "binary_not_defined", "services[0].binaries")],
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
    ],
)
def test_services(found: Callable[..., Any], services: Any, expected: Any) -> None:
    assert found(*services) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({"health": {"type": "http"}, "ports": HTTP}, []),
        ({"health": {"type": "http", "port_name": "http"}, "ports": TWO}, []),
        ({"health": {"type": "tcp"}, "ports": TWO}, [("error", "port_ambiguous", "health")]),
        (
            {"health": {"type": "tcp", "port_name": "htp"}, "ports": TWO},
            [("error", "unknown_port", "health")],
        ),
        ({"health": {"type": "http"}}, [("error", "probe_without_port", "health")]),
        (
            {"health": {"type": "http"}, "readiness": {"type": "health_success"}},
            [("error", "probe_without_port", "health")],
        ),
        (
            {"health": {"type": "http"}, "readiness": {"type": "dependencies_ready"}},
            [("warning", "probe_without_port", "health")],
        ),
        (
            {
                "health": {"type": "http"},
                "readiness": {"type": "log_match", "pattern": "ready"},
            },
            [("warning", "probe_without_port", "health")],
        ),
        ({"readiness": {"type": "port_open"}, "ports": HTTP}, []),
        ({"readiness": {"type": "port_open"}}, [("error", "probe_without_port", "readiness")]),
        (
            {"readiness": {"type": "port_open", "port_name": "api"}, "ports": HTTP},
            [("error", "unknown_port", "readiness")],
        ),
        ({"stop": {"http": {"path": "/x"}}}, [("error", "probe_without_port", "stop.http")]),
        (
            {"stop": {"http": {"path": "/x", "port_name": "z"}}, "ports": HTTP},
            [("error", "unknown_port", "stop.http")],
        ),
    ],
)
def test_a_probe_asks_a_port_that_is_there(
    found: Callable[..., Any], service: Any, expected: Any
) -> None:
    paths = [
        (severity, code, f"services[0].{probe}.port_name") for severity, code, probe in expected
    ]
    assert found({"id": "a", **service}) == paths


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            {"readiness": {"type": "health_success"}},
            [("error", "readiness_without_health", "readiness")],
        ),
        (
            {"readiness": {"type": "log_match"}},
            [("error", "pattern_missing", "readiness.pattern")],
        ),
        (
            {"readiness": {"type": "log_match", "pattern": "a("}},
            [("error", "invalid_pattern", "readiness.pattern")],
        ),
        ({"readiness": {"type": "log_match", "pattern": r"(?i)ready \pL+\z"}}, []),
        ({"readiness": {"type": "notify", "watchdog_ms": 5000}}, []),
        (
            {"readiness": {"type": "port_open", "watchdog_ms": 5000}, "ports": HTTP},
            [("warning", "watchdog_without_notify", "readiness.watchdog_ms")],
        ),
        ({"health": {"type": "log_match"}}, [("error", "pattern_missing", "health.pattern")]),
        ({"health": {"type": "log_match", "path": "ready|ok"}}, []),
        ({"health": {"type": "log_match", "pattern": "ready|ok"}}, []),
        (
            {"health": {"type": "log_match", "path": "[z-a]"}},
            [("error", "invalid_pattern", "health.path")],
        ),
        ({"health": {"type": "command"}}, [("error", "empty_command", "health.command")]),
        (
            {"health": {"type": "command", "command": [" "]}},
            [("error", "empty_command", "health.command")],
        ),
        (
            {"health": {"type": "command", "command": ["../x"]}},
            [("error", "path_escapes_root", "health.command[0]")],
        ),
        ({"health": {"type": "command", "command": ["./bin/check", "/etc"]}}, []),
        ({"health": {}, "readiness": {"type": ""}, "gpu": {"requirement": ""}}, []),
    ],
)
def test_a_probe_has_what_it_needs(found: Callable[..., Any], service: Any, expected: Any) -> None:
    paths = [(severity, code, f"services[0].{path}") for severity, code, path in expected]
    assert found({"id": "a", **service}) == paths


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
    assert [finding.code for finding in loaded.findings.of("a")] == ["unresolved_template"]
    assert loaded.findings.of("b") == ()


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
    ],
)
def test_the_sentence_names_the_thing_and_the_remedy(
    bundle: Callable[..., Any], read_document: Callable[..., Loaded], services: Any, words: str
) -> None:
    assert words in only(read_document(bundle(*services))).message


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
