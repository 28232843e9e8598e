"""When a service counts as ready: each kind of readiness and of health, with real programs."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.bundle_maker import Bundle, Run, bundle, running, starting, wait_until
from tests.runtime.test_metrics import sample

KINDS: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "health": ("well_behaved", ("http",), {"readiness": {"type": "health_success"}}),
    "port": ("well_behaved", ("http",), {"readiness": {"type": "port_open"}, "health": None}),
    "port-tcp": (
        "well_behaved",
        ("http",),
        {"readiness": {"type": "port_open"}, "health": {"type": "tcp"}},
    ),
    "tcp": ("well_behaved", ("http",), {"health": {"type": "tcp"}}),
    "only-health": ("well_behaved", ("http",), {"readiness": None}),
    "neither": ("well_behaved", ("http",), {"readiness": None, "health": None}),
    "line": ("logs_ready_line", (), {"readiness": {"type": "log_match", "pattern": "is ready$"}}),
    "case": (
        "logs_ready_line",
        (),
        {"readiness": {"type": "log_match", "pattern": "(?i)WORKER IS"}},
    ),
    "dependencies": ("logs_ready_line", (), {"readiness": {"type": "dependencies_ready"}}),
    "command": (
        "well_behaved",
        ("http",),
        {"health": {"type": "command", "command": ["bin/check"]}},
    ),
}


def test_each_kind_of_readiness_is_noticed(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/check", "import sys; sys.exit(0)")
    for id_, (program, ports, fields) in KINDS.items():
        made.service(id_, program, ports=ports, **fields)
    with running(made.write()) as run:
        details = run.until_ready()["details"]
        assert {id_: one["message"] for id_, one in details.items()} == dict.fromkeys(
            KINDS, "ready"
        )


def until_failed(run: Run, id_: str) -> dict[str, Any]:
    """Wait for the end of a service, and return what is said of it."""
    wait_until(lambda: run.service(id_)["state"] == "failed", what=f"the failure of {id_}")
    return run.service(id_)


WRONG = ("500", "status", "readiness", "redirect", "garbage", "silent", "drip", "close")


def test_a_wrong_answer_is_never_taken_for_well(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for answer in WRONG:
        made.service(
            f"answers-{answer}",
            "health_wrong",
            options={"how": answer},
            health={"type": "http", "path": "/health", "timeout_ms": 100, "interval_ms": 50},
            readiness={"type": "health_success", "timeout_ms": 600_000},
        )
    with running(made.write()) as run:
        for answer in WRONG:
            id_ = f"answers-{answer}"
            wait_until(partial(run.events, id_, "answered_wrongly"), what=f"{answer} for an answer")
            before = failures(run, id_)  # the next may be that answer, the one after it is not
            wait_until(partial(has_more_failures, run, id_, before + 1), what="two more probes")
            assert run.service(id_)["state"] == "starting"
        never = [event for event in run.telemetry() if event["event"] == "service_ready"]
        assert never == []


def has_more_failures(run: Run, id_: str, many: float) -> bool:
    return failures(run, id_) > many


def failures(run: Run, id_: str) -> float:
    return sample(run, "bundlevisor_probe_failures_total", id_)


def test_a_health_command_that_cannot_be_run_fails_its_service_before_the_start(
    tmp_path: Path,
) -> None:
    said = {
        "no-such-check": "health: command not found: no-such-check (looked in ",
        "bin/plain": "health: command is not executable: bin/plain (",
    }
    made = bundle(tmp_path).file("bin/plain", "#!/bin/sh\n")
    for number, command in enumerate(said):
        made.service(
            f"db{number}",
            health={"type": "command", "command": [command]},
            readiness={"type": "health_success", "timeout_ms": 600_000},
            restart={"policy": "never"},
        )
    with running(made.write()) as run:
        for number, why in enumerate(said.values()):
            assert why in until_failed(run, f"db{number}")["message"]
            assert run.events(f"db{number}", "started") == []


MAKES_ITS_CHECK = """
import os, time
path = os.path.join(os.environ["APP_DATA_DIR"], "check")
with open(path + ".new", "w") as file:
    file.write("#!/bin/sh\\nexit 0\\n")
os.chmod(path + ".new", 0o755)
os.rename(path + ".new", path)
time.sleep(600)
"""


def test_a_service_may_make_its_health_command_itself(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/makes", MAKES_ITS_CHECK)
    health = {"type": "command", "command": ["${data}/check"], "interval_ms": 20, "retries": 2}
    ready = {"type": "health_success", "timeout_ms": 20_000}
    never = {"policy": "never"}
    made.service("db", "bin/makes", ports=(), health=health, readiness=ready, restart=never)
    with running(made.write()) as run:
        run.until_ready()
        (run.app_data / "check").unlink()
        wait_until(lambda: run.service("db")["state"] == "failed", what="db to be found unhealthy")
        message = run.service("db")["message"]
        assert "the program of its health command is not there: " in message


def test_a_line_of_an_earlier_start_does_not_count(tmp_path: Path) -> None:
    made = bundle(tmp_path).service(
        "job",
        "logs_ready_line",
        ports=(),
        readiness={"type": "log_match", "pattern": "ready"},
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


TALKS_WITHOUT_END = """
import os, random, sys, time
dice = random.Random(7)
block = bytes(dice.choice(b"ab") for _ in range(32768))
for _ in range(32):
    os.write(1, block)
os.write(2, b"\\nlast word\\n")
time.sleep(600)
"""


PATIENT = """
import sys
from bundlevisor.actors.logs import match_thread
match_thread.PATIENCE = 3600.0
from bundlevisor.control.__main__ import main
sys.exit(main())
"""


def with_a_slow_pattern(folder: Path) -> Bundle:
    stubborn: dict[str, Any] = {"type": "log_match", "pattern": "[ab]*a" + "[ab]{1000}" * 5 + "c"}
    stubborn["timeout_ms"] = 600_000  # the search needs seconds of a processor that may be shared
    made = bundle(folder).script("bin/talks", TALKS_WITHOUT_END)
    made.service("talker", "bin/talks", ports=(), health=None, readiness=stubborn)
    return made.service("other", "logs_ready_line", ports=()).write()


def test_a_pattern_that_takes_for_ever_holds_up_no_log(tmp_path: Path) -> None:
    """Nor would it if it were never given up."""
    command = (sys.executable, "-c", PATIENT)
    with starting(with_a_slow_pattern(tmp_path), command=command) as run:
        run.await_listening()
        wait_until(lambda: "last word" in run.log("talker"), what="all that it has written")
        wait_until(lambda: "is ready" in run.log("other"), what="the other's output")


def test_a_pattern_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    def given_up() -> bool:
        return any(event["event"] == "log_match_given_up" for event in run.telemetry())

    with running(with_a_slow_pattern(tmp_path)) as run:
        wait_until(given_up, deadline=100, what="the end of the search")
        wait_until(lambda: "it took longer than 2 s" in run.stderr, what="the word on the console")


ONLY_FROM_LOCALHOST = """
import http.server, os
class Strict(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.client_address[0] == "127.0.0.1" else 403)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT_HTTP"])), Strict).serve_forever()
"""


def test_a_service_that_allows_nobody_but_127_0_0_1_becomes_ready(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/strict", ONLY_FROM_LOCALHOST)
    with running(made.service("db", "bin/strict").write()) as run:
        run.until_ready()
