"""What a service's manifest says of it, where it takes more than one field to know."""

from __future__ import annotations

from typing import Any

import pytest

from bundlevisor.manifest.format.probe import Readiness
from bundlevisor.manifest.format.schema import Service


@pytest.mark.parametrize(
    ("metadata", "on_demand"),
    [
        ({}, False),
        ({"run_mode": "on_demand"}, True),
        ({"run_mode": "always"}, False),
        ({"run_mode": True}, False),
        ({"mode": "on_demand"}, False),
    ],
)
def test_a_service_on_demand_says_so_in_its_metadata(
    metadata: dict[str, Any], on_demand: bool
) -> None:
    assert Service(id="a", metadata=metadata).on_demand is on_demand


@pytest.mark.parametrize(
    ("readiness", "seconds"),
    [
        (None, 0.0),
        (Readiness(type="notify"), 0.0),
        (Readiness(type="notify", watchdog_ms=1500), 1.5),
        (Readiness(type="port_open", watchdog_ms=1500), 0.0),
    ],
)
def test_only_a_service_that_notifies_has_a_watchdog(
    readiness: Readiness | None, seconds: float
) -> None:
    assert Service(id="a", readiness=readiness).watchdog == seconds
