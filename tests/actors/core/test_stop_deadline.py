"""How long an orderly stop of the whole bundle may take: as its longest chain, within bounds."""

from __future__ import annotations

import pytest

from bundlevisor.actors.core.stop_deadline import LONGEST, MARGIN, stop_bound
from bundlevisor.manifest.format.policy import StopPolicy
from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.plan.graph import Graph
from tests.manifests import manifest_of


def stopping(**services: tuple[int, str]) -> Manifest:
    """Return a manifest of services by id, each with its time-out in ms and what it needs."""
    return manifest_of(
        *(
            Service(id=id_, dependencies=needs.split(), stop=StopPolicy(timeout_ms=timeout))
            for id_, (timeout, needs) in services.items()
        )
    )


@pytest.mark.parametrize(
    ("manifest", "seconds"),
    [
        (manifest_of(), 0.0),
        (stopping(db=(3000, "")), 3.0),
        (stopping(db=(3000, ""), api=(500, ""), web=(1000, "")), 3.0),
        (stopping(db=(3000, ""), api=(500, "db"), web=(1000, "api")), 4.5),
        (stopping(db=(3000, ""), api=(500, "db"), web=(1000, "db"), other=(3800, "")), 4.0),
    ],
    ids=["nobody", "one", "side by side", "one after the other", "the longest of two"],
)
def test_as_long_as_the_longest_chain_of_time_outs(manifest: Manifest, seconds: float) -> None:
    assert stop_bound(manifest, Graph.of(manifest)) == pytest.approx(seconds + MARGIN)


def test_never_longer_than_a_desktop_waits() -> None:
    manifest = stopping(db=(59_000, ""), api=(59_000, "db"))
    assert stop_bound(manifest, Graph.of(manifest)) == LONGEST
