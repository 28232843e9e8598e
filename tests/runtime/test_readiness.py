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


TALKS_WITHOUT_END = """
import os, random, sys, time
dice = random.Random(7)
block = bytes(dice.choice(b"ab") for _ in range(32768))
for _ in range(8):
    os.write(1, block)
os.write(2, b"\\nlast word\\n")
time.sleep(600)
"""


def test_a_pattern_that_takes_for_ever_holds_up_no_log_and_is_given_up(tmp_path: Path) -> None:
    pattern = "[ab]*a" + "[ab]{1000}" * 20 + "c"
    stubborn = {"type": "log_match", "pattern": pattern, "timeout_ms": 120_000}
    made = bundle(tmp_path).script("bin/talks", TALKS_WITHOUT_END)
    made.service("talker", "bin/talks", ports=(), health=None, readiness=stubborn)
    made.service("other", "logs_ready_line", ports=()).write()

    def given_up() -> bool:
        return any(event["event"] == "log_match_given_up" for event in run.telemetry())

    with running(made) as run:
        wait_until(lambda: "last word" in run.log("talker"), what="all that it has written")
        wait_until(lambda: "is ready" in run.log("other"), what="the other's output")
        assert not given_up(), "the logs did not wait for the pattern"
        wait_until(given_up, deadline=100, what="the end of the search")
        assert "it took longer than 2 s" in run.stderr


def test_look_around_is_searched_for_too(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    pattern = {"type": "log_match", "pattern": "(?<=worker )is ready"}
    made.service("worker", "logs_ready_line", ports=(), readiness=pattern).write()
    with running(made) as run:
        run.until_ready()
