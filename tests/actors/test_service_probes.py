"""The look for a stranger on a service's port, beside all that is more urgent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.service_probes import ServiceProbes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell")
def test_who_answers_is_looked_for_again_where_there_was_no_thread() -> None:
    later: list[Callable[[], None]] = []
    looks: list[object] = []

    def put(look: object) -> None:
        looks.append(look)
        if len(looks) == 1:
            raise RuntimeError("can't start new thread")

    service = SimpleNamespace(id="api", port_requests=[])
    wanted = SimpleNamespace(port_name="http")
    spec: Any = SimpleNamespace(service=service, criterion=wanted, page=None)
    context: Any = SimpleNamespace(
        loop=SimpleNamespace(call_at=lambda _when, then: later.append(then)),
        look_thread=SimpleNamespace(put=put),
    )
    inputs: Any = SimpleNamespace(ports={"api": {"http": 4}})
    incarnation: Any = SimpleNamespace(child=object())
    ServiceProbes(spec, context).look_who_answers(inputs, incarnation)
    for expected in (1, 2):
        later.pop()()
        assert len(looks) == expected
    assert not later
