"""What a service's GPU requirement means on a machine that has one, or has none: pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bundlevisor.actors.gpu.presence import Presence
from bundlevisor.manifest.format.schema import Manifest, Service

EVENTS = {
    "required": "gpu_required_missing",
    "optional_with_cpu_fallback": "gpu_fallback_cpu",
    "optional_but_warn": "gpu_optional_unavailable",
    "optional": "gpu_optional_unavailable",
}
"""What is told of a service that would use a GPU and has none, by its requirement."""


class Shortcoming(msgspec.Struct, frozen=True):
    """A service that does without a GPU, or cannot; ``refused`` is why it must not run."""

    service: str
    event: str
    requirement: str
    message: str
    refused: bool = False

    @property
    def warns(self) -> bool:
        """Whether a person should hear of it; the failure of a refused service speaks itself."""
        return self.requirement == "optional_but_warn"


def shortcomings(manifest: Manifest, presence: Presence) -> tuple[Shortcoming, ...]:
    """Return whom the lack of a GPU concerns, and how; nobody where there is one."""
    return () if presence.available else tuple(_shortcomings(manifest.services, presence))


def _shortcomings(services: list[Service], presence: Presence) -> Iterator[Shortcoming]:
    for service in services:
        if service.gpu is None:
            continue
        requirement = service.gpu.requirement
        sentence = f"service '{service.id}': {_consequence(requirement)}: {presence.reason}"
        yield Shortcoming(
            service.id, EVENTS[requirement], requirement, sentence, requirement == "required"
        )


def _consequence(requirement: str) -> str:
    if requirement == "required":
        return "it needs a GPU and there is none"
    if requirement == "optional_with_cpu_fallback":
        return "it runs on the CPU, as there is no GPU"
    return "it runs without a GPU"
