"""What makes a service ready, and what its health check asks: decided from the manifest alone."""

from __future__ import annotations

import enum

import msgspec

from bundlevisor.manifest.format.probe import Health, Readiness
from bundlevisor.manifest.format.schema import Service


class Condition(enum.Enum):
    """What has to hold before a service counts as ready."""

    HEALTHY = "its health check answers well"
    LISTENING = "its port accepts a connection"
    LOGGED = "its log has the pattern"
    NOTIFIED = "it says so itself"
    ALIVE = "its process is alive"


class Criterion(msgspec.Struct, frozen=True):
    """A condition with what it needs: a port's name, or a pattern."""

    condition: Condition
    port_name: str = ""
    pattern: str = ""


def criterion(service: Service) -> Criterion:
    """Return when the service is ready.

    ``dependencies_ready``, and a bundle that says nothing, mean: alive, and healthy where there is
    a port to ask. The dependencies are ready by then, or it would not have been started.
    """
    readiness, health = service.readiness, service.health
    if readiness is not None and readiness.type not in ("health_success", "dependencies_ready"):
        return _of_its_own(service, readiness)
    strict = readiness is not None and readiness.type == "health_success"
    if health is None:
        return Criterion(Condition.ALIVE)
    if health.type == "log_match":
        return Criterion(Condition.LOGGED if strict else Condition.ALIVE, pattern=health.expression)
    if health.type == "command":
        asks = strict or readiness is None
        return Criterion(Condition.HEALTHY if asks else Condition.ALIVE)
    name = port_asked(service, health.port_name)
    return Criterion(Condition.HEALTHY if name else Condition.ALIVE, port_name=name)


def _of_its_own(service: Service, readiness: Readiness) -> Criterion:
    """Return a criterion that has nothing to do with the health check."""
    if readiness.type == "log_match":
        return Criterion(Condition.LOGGED, pattern=readiness.pattern)
    if readiness.type == "notify":
        return Criterion(Condition.NOTIFIED)
    return Criterion(Condition.LISTENING, port_name=port_asked(service, readiness.port_name))


def port_asked(service: Service, named: str) -> str:
    """Return the name of the port that is meant: the named one, else the only one, else none."""
    if named:
        return named
    requests = service.port_requests
    return requests[0].name if len(requests) == 1 else ""


def liveness(service: Service) -> Health | None:
    """Return the check that goes on after ready; a pattern once found stays found."""
    health = service.health
    if health is None or health.type == "log_match":
        return None
    if health.type in ("http", "tcp") and not port_asked(service, health.port_name):
        return None
    return health
