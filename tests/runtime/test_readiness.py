"""When a service counts as ready: each kind of readiness and of health, with real programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import bundle, running, wait_until


@pytest.mark.parametrize(
    ("program", "ports", "fields"),
    [
        ("well_behaved", ("http",), {"readiness": {"type": "health_success"}}),
        ("well_behaved", ("http",), {"readiness": {"type": "port_open"}, "health": None}),
        (
            "well_behaved",
            ("http",),
            {"readiness": {"type": "port_open"}, "health": {"type": "tcp"}},
        ),
        ("well_behaved", ("http",), {"health": {"type": "tcp"}}),
        ("well_behaved", ("http",), {"readiness": None}),
        ("well_behaved", ("http",), {"readiness": None, "health": None}),
        ("logs_ready_line", (), {"readiness": {"type": "log_match", "pattern": "is ready$"}}),
        ("logs_ready_line", (), {"readiness": {"type": "log_match", "pattern": "(?i)WORKER IS"}}),
        ("logs_ready_line", (), {"readiness": {"type": "dependencies_ready"}}),
        ("well_behaved", ("http",), {"health": {"type": "command", "command": ["bin/check"]}}),
    ],
)
def test_each_kind_of_readiness_is_noticed(
    tmp_path: Path, program: str, ports: tuple[str, ...], fields: dict[str, Any]
) -> None:
    made = bundle(tmp_path).service("db", program, ports=ports, **fields)
    made.script("bin/check", "import sys; sys.exit(0)").write()
    with running(made) as run:
        assert run.until_ready()["details"]["db"]["message"] == "ready"


@pytest.mark.parametrize(
    "answer", ["500", "status", "readiness", "redirect", "garbage", "silent", "drip", "close"]
)
def test_a_wrong_answer_is_never_taken_for_well(tmp_path: Path, answer: str) -> None:
    made = bundle(tmp_path).service(
        "db",
        "health_wrong",
        options={"how": answer},
        health={"type": "http", "path": "/health", "timeout_ms": 100},
        readiness={"type": "health_success", "timeout_ms": 500},
        restart={"policy": "never"},
    )
    with running(made.write()) as run:
        assert run.ready()["details"]["db"]["state"] == "failed"


@pytest.mark.parametrize(
    ("program", "options", "fields", "why"),
    [
        ("listens_late", {"delay_ms": 60_000}, {}, "nothing listens on port "),
        ("health_wrong", {"answer": "500"}, {}, "HTTP 500"),
        (
            "well_behaved",
            {},
            {"readiness": {"type": "log_match", "pattern": "never said"}},
            "no match of",
        ),
        (
            "well_behaved",
            {},
            {"health": {"type": "command", "command": ["no-such-check"]}},
            "command not found: no-such-check",
        ),
    ],
)
def test_what_was_waited_for_in_vain_is_said(
    tmp_path: Path, program: str, options: dict[str, object], fields: dict[str, Any], why: str
) -> None:
    readiness = {"type": "health_success", **fields.pop("readiness", {}), "timeout_ms": 300}
    made = bundle(tmp_path).service(
        "db", program, options=options, readiness=readiness, restart={"policy": "never"}, **fields
    )
    with running(made.write()) as run:
        db = run.ready()["details"]["db"]
        assert db["state"] == "failed"
        assert db["message"].startswith("not ready within 0.3 s: ")
        assert why in db["message"]


def test_a_line_of_an_earlier_start_does_not_count(tmp_path: Path) -> None:
    made = bundle(tmp_path).service(
        "job",
        "logs_ready_line",
        ports=(),
        readiness={"type": "log_match", "pattern": "ready", "timeout_ms": 300},
        restart={"policy": "never"},
    )
    with running(made.write()) as run:
        run.until_ready()
        run.post("/shutdown")
        run.wait_gone()
    made.service(
        "job",
        "well_behaved",
        ports=(),
        readiness={"type": "log_match", "pattern": "ready", "timeout_ms": 300},
        restart={"policy": "never"},
    ).write()
    with running(made) as run:
        assert run.ready()["details"]["job"]["state"] == "failed"


def test_a_short_unreadiness_makes_later_dependents_wait_not_fail(tmp_path: Path) -> None:
    made = bundle(tmp_path).service(
        "db", "flaps", options={"times": 2, "after_ms": 50}, restart={"backoff_ms": 50}
    )
    made.service("api", deps=["db"]).write()
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: run.service("db")["restarts"] == 2, what="two restarts of db")
        run.until_ready()


def test_waiting_for_readiness_answers_when_it_can_no_longer_come(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "exits_at_once", restart={"policy": "never"}).write()
    with running(made) as run:
        answer = run.ready(wait=60)
        assert not answer["ready"]
        assert answer["details"]["db"]["state"] == "failed"
