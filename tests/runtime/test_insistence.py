"""What a second request to end means."""

from __future__ import annotations

import pytest

from bundlevisor.control.run.shutdown_requests import ShutdownRequest, insists


@pytest.mark.parametrize(
    ("first", "after", "kills"), [("SIGINT", 0.1, False), ("", 0.1, False), ("SIGINT", 0.4, True)]
)
def test_an_interrupt_that_a_parent_passes_on_is_the_same(
    first: str, after: float, kills: bool
) -> None:
    heard = [ShutdownRequest("it begins", first, at=5.0)]
    heard += [ShutdownRequest("SIGINT received", "SIGINT", at=5.0 + after)]
    assert insists(heard) is kills
