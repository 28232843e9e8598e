"""The four words of a GPU requirement, with real services; the environment says what is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until

WITH = {"BUNDLE_GPU_AVAILABLE": "true"}
WITHOUT = {"BUNDLE_GPU_AVAILABLE": "0"}


def asking(folder: Path, *requirements: str, **fields: Any) -> Bundle:
    """Make a bundle with a service for each requirement, called as it, and another one."""
    made = bundle(folder)
    for one in requirements:
        made.service(one, "reports_environment", gpu={"requirement": one}, **fields)
    return made.service("other", "reports_environment").write()


def environment(run: Run, service: str) -> Mapping[str, str]:
    found = wait_until(lambda: run.events(service, "environment"))
    variables: dict[str, str] = found[0]["env"]
    return variables


def told(run: Run, *names: str) -> list[tuple[str, dict[str, Any]]]:
    wait_until(lambda: [e for e in run.telemetry() if e["event"] == "ready"], what="telemetry")
    return [(e["event"], e["details"]) for e in run.telemetry() if e["event"] in names]


DISPENSABLE = {
    "optional": ("gpu_optional_unavailable", False),
    "optional_but_warn": ("gpu_optional_unavailable", True),
    "optional_with_cpu_fallback": ("gpu_fallback_cpu", True),
}
"""What is told where there is none, and whether a person is told."""
SHORTCOMINGS = ("gpu_required_missing", "gpu_fallback_cpu", "gpu_optional_unavailable")


def test_with_a_gpu_every_word_means_the_gpu(tmp_path: Path) -> None:
    words = ("required", *DISPENSABLE)
    with running(asking(tmp_path, *words), env=WITH) as run:
        gpu = run.until_ready()["gpu"]
        for word in words:
            assert environment(run, word)["BUNDLE_GPU_MODE"] == "gpu"
            assert environment(run, word)["BUNDLE_GPU_AVAILABLE"] == "true"
        assert (gpu["available"], gpu["method"]) == (True, "environment")
        assert gpu["requirements"] == {word: word for word in words}
        assert told(run, *SHORTCOMINGS) == []
        wait_until(lambda: [e for e in run.telemetry() if e["event"] == "gpu_details"])


def test_without_a_gpu_an_optional_one_is_done_without(tmp_path: Path) -> None:
    with running(asking(tmp_path, *DISPENSABLE), env=WITHOUT) as run:
        assert run.until_ready()["gpu"]["available"] is False
        for word in DISPENSABLE:
            assert environment(run, word)["BUNDLE_GPU_MODE"] == "cpu"
        assert sorted((d["requirement"], name) for name, d in told(run, *SHORTCOMINGS)) == sorted(
            (word, event) for word, (event, _) in DISPENSABLE.items()
        )
        lines = [json.loads(line) for line in run.stderr.splitlines()]
        assert {
            line["service_id"] for line in lines if "BUNDLE_GPU_AVAILABLE=0 is set" in str(line)
        } == {word for word, (_, said) in DISPENSABLE.items() if said}


def test_without_a_gpu_a_required_one_fails_its_service_at_once(tmp_path: Path) -> None:
    with running(asking(tmp_path, "required"), env=WITHOUT) as run:
        answer = run.ready()
        model = answer["details"]["required"]
        assert (model["state"], model["restarts"]) == ("failed", 0)
        assert "it needs a GPU and there is none: BUNDLE_GPU_AVAILABLE=0 is set" in model["message"]
        wait_until(lambda: run.service("other")["ready"])
        assert run.record("required") == []
        wait_until(lambda: [e for e in run.telemetry() if e["event"] == "gpu_required_missing"])
        refused = run.post("/services/required/start")
        assert refused.status == 409
        assert "it needs a GPU" in refused.json()["error"]


def test_a_service_that_nobody_asked_for_does_not_fail_for_want_of_a_gpu(tmp_path: Path) -> None:
    made = asking(tmp_path, "required", metadata={"run_mode": "on_demand"})
    with running(made, env=WITHOUT) as run:
        assert run.until_ready()["details"]["required"]["state"] == "inactive"
        assert run.post("/services/required/start").status == 409
        assert run.ready()["ready"]


def test_every_start_tells_once_whether_there_is_a_gpu(tmp_path: Path) -> None:
    with running(asking(tmp_path), env=WITHOUT) as run:
        run.until_ready()
        [(_, details)] = told(run, "gpu_status")
        assert details == {
            "available": False,
            "method": "environment",
            "reason": "BUNDLE_GPU_AVAILABLE=0 is set",
            "requirements": {},
        }
        assert environment(run, "other")["BUNDLE_GPU_AVAILABLE"] == "false"
        assert "BUNDLE_GPU_MODE" not in environment(run, "other")
