"""What the API tells while somebody sets the clock of the machine."""

from __future__ import annotations

import os
import time
from datetime import datetime

import pytest

from bundlevisor.actors.core.snapshot import State
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api

HOUR, DAY = 3_600.0, 86_400.0


def uptimes(api: Api) -> dict[str, float]:
    status = api.get("/status").json()
    return {"": status["uptime_s"], **{one["id"]: one["uptime_s"] for one in status["services"]}}


def shown(api: Api) -> list[float]:
    service = api.get("/readyz").json()["details"]["web.api-1"]
    texts = [api.get("/status").json()["started_at"], service["started_at"], service["ready_at"]]
    return [datetime.fromisoformat(text).timestamp() for text in texts]


@pytest.mark.parametrize("step", [-DAY, DAY])
def test_uptimes_do_not_follow_a_clock_that_is_set_and_moments_do(
    runtime: FakeRuntime, api: Api, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    runtime.change("web.api-1", State.READY, pid=os.getpid())
    up, moments, clock = uptimes(api), shown(api), time.time
    assert up["web.api-1"] > 0
    monkeypatch.setattr(time, "time", lambda: clock() + step)
    runtime.change("db", State.READY)  # lest an answer given before is given again
    assert all(0 <= now - up[id_] < HOUR for id_, now in uptimes(api).items())
    assert all(abs(now - then - step) < HOUR for now, then in zip(shown(api), moments, strict=True))


def test_the_moments_of_what_is_ready_follow_though_nothing_changes_any_more(
    runtime: FakeRuntime, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.change("web.api-1", State.READY, pid=os.getpid())

    def started() -> float:
        text = api.get("/readyz").json()["details"]["web.api-1"]["started_at"]
        return datetime.fromisoformat(text).timestamp()

    then, clock = started(), time.time
    monkeypatch.setattr(time, "time", lambda: clock() + DAY)
    assert abs(started() - then - DAY) < HOUR
