"""What makes a service ready and what is checked afterwards, from the manifest alone."""

from __future__ import annotations

from typing import Any

import pytest

from bundlevisor.manifest.format.probe import Health, Readiness
from bundlevisor.manifest.format.schema import PortRequest, Service, ServicePorts
from bundlevisor.manifest.plan.readiness import (
    Condition,
    Criterion,
    criterion,
    liveness,
    port_asked,
)

ONE, TWO = ("http",), ("http", "admin")


def service(
    ready: str | None, health: str | None, ports: tuple[str, ...] = ONE, port_name: str = ""
) -> Service:
    readiness: dict[str, Any] = {"pattern": "up"} if ready == "log_match" else {}
    checked: dict[str, Any] = {"pattern": "well"} if health == "log_match" else {}
    return Service(
        id="api",
        ports=ServicePorts(requested=[PortRequest(name=name) for name in ports]),
        readiness=Readiness(type=ready, port_name=port_name, **readiness) if ready else None,  # type: ignore[arg-type]
        health=Health(type=health, port_name=port_name, **checked) if health else None,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (service("log_match", "http"), Criterion(Condition.LOGGED, pattern="up")),
        (service("notify", "http"), Criterion(Condition.NOTIFIED)),
        (service("port_open", "http"), Criterion(Condition.LISTENING, "http")),
        (service("port_open", None, TWO, "admin"), Criterion(Condition.LISTENING, "admin")),
        (service("port_open", None, TWO), Criterion(Condition.LISTENING)),
        (service("health_success", "http"), Criterion(Condition.HEALTHY, "http")),
        (service("health_success", "tcp", TWO), Criterion(Condition.ALIVE)),
        (service("health_success", "tcp", TWO, "admin"), Criterion(Condition.HEALTHY, "admin")),
        (service("health_success", None), Criterion(Condition.ALIVE)),
        (service("health_success", "log_match"), Criterion(Condition.LOGGED, pattern="well")),
        (service("health_success", "command"), Criterion(Condition.HEALTHY)),
        (service("dependencies_ready", "log_match"), Criterion(Condition.ALIVE, pattern="well")),
        (service("dependencies_ready", "command"), Criterion(Condition.ALIVE)),
        (service("dependencies_ready", "http"), Criterion(Condition.HEALTHY, "http")),
        (service("dependencies_ready", "http", ()), Criterion(Condition.ALIVE)),
        (service(None, "command"), Criterion(Condition.HEALTHY)),
        (service(None, "http"), Criterion(Condition.HEALTHY, "http")),
        (service(None, "log_match"), Criterion(Condition.ALIVE, pattern="well")),
        (service(None, None), Criterion(Condition.ALIVE)),
    ],
)
def test_when_a_service_is_ready(one: Service, expected: Criterion) -> None:
    assert criterion(one) == expected


@pytest.mark.parametrize(
    ("one", "goes_on"),
    [
        (service(None, None), False),
        (service(None, "log_match"), False),
        (service(None, "command", ()), True),
        (service(None, "http"), True),
        (service(None, "tcp"), True),
        (service(None, "http", ()), False),
        (service(None, "tcp", TWO), False),
        (service(None, "tcp", TWO, "admin"), True),
    ],
)
def test_which_check_goes_on_after_ready(one: Service, goes_on: bool) -> None:
    assert liveness(one) is (one.health if goes_on else None)


def test_which_port_is_meant() -> None:
    assert port_asked(service(None, None), "") == "http"
    assert port_asked(service(None, None, TWO), "") == ""
    assert port_asked(service(None, None, ()), "") == ""
    assert port_asked(service(None, None, TWO), "other") == "other"
