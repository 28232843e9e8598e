"""Who had something done stands in the telemetry: what it calls itself, and who it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.bundle_maker import Run, bundle, running, wait_until


def asked(run: Run) -> list[dict[str, Any]]:
    return [event["details"] for event in run.telemetry() if event["event"] == "api_request"]


def test_a_caller_on_this_machine_is_named(tmp_path: Path) -> None:
    with running(bundle(tmp_path).service("db").write()) as run:
        run.until_ready()
        run.post("/services/db/restart?wait=20", headers={"User-Agent": "a test"})
        (told,) = wait_until(lambda: asked(run), what="the event") or []
        expected: dict[str, Any] = {"request": "POST /services/db/restart", "agent": "a test"}
        if sys.platform == "linux":
            name = psutil.Process().name()[:15]
            expected |= {"uid": os.getuid(), "pid": os.getpid(), "program": name}
        assert told == expected
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert [details["request"] for details in asked(run)][1:] == ["POST /shutdown"]
