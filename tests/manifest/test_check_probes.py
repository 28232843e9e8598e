"""What a probe needs: a port that is there, a pattern, a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

HTTP = {"requested": [{"name": "http"}]}
TWO = {"requested": [{"name": "http"}, {"name": "admin"}]}


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
