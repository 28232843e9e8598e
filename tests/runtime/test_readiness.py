"""When a service counts as ready: each kind of readiness and of health, with real programs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Run, bundle, bundlevisor, running, wait_until
from tests.installed import COMMAND
from tests.live_runtime import ROOT

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
            health={"type": "http", "path": "/health", "timeout_ms": 100},
            readiness={"type": "health_success", "timeout_ms": 500},
            restart={"policy": "never"},
        )
    with running(made.write()) as run:
        for answer in WRONG:
            until_failed(run, f"answers-{answer}")
        never = [event for event in run.telemetry() if event["event"] == "service_ready"]
        assert never == []


IN_VAIN: dict[str, tuple[str, dict[str, object], dict[str, Any], str]] = {
    "late": ("listens_late", {"delay_ms": 60_000}, {}, "nothing listens on port "),
    "wrong": ("health_wrong", {"answer": "500"}, {}, "HTTP 500"),
    "mute": (
        "well_behaved",
        {},
        {"readiness": {"type": "log_match", "pattern": "never said"}},
        "no match of",
    ),
    "made-later": (
        "well_behaved",
        {},
        {"health": {"type": "command", "command": ["${data}/made-later"]}},
        "the program of its health command is not there: ",
    ),
}


def test_what_was_waited_for_in_vain_is_said(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for id_, (program, options, fields, _) in IN_VAIN.items():
        awaited = {"type": "health_success", **fields.get("readiness", {}), "timeout_ms": 300}
        made.service(
            id_,
            program,
            options=options,
            **{**fields, "readiness": awaited, "restart": {"policy": "never"}},
        )
    with running(made.write()) as run:
        for id_, (*_, why) in IN_VAIN.items():
            message = until_failed(run, id_)["message"]
            assert message.startswith("not ready within 0.3 s: "), id_
            assert why in message


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


OBSTACLES: dict[str, tuple[str, dict[str, object], dict[str, Any], str]] = {
    "late": ("listens_late", {"delay_ms": 60_000}, {}, "nothing listens on port {port}"),
    "wrong": ("health_wrong", {"answer": "500"}, {}, "HTTP 500"),
    "mute": (
        "well_behaved",
        {},
        {"readiness": {"type": "log_match", "pattern": "never said"}},
        "its output shows no match of 'never said'",
    ),
}


def test_what_a_starting_service_waits_for_is_said_while_it_waits(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for id_, (program, options, fields, _) in OBSTACLES.items():
        made.service(id_, program, options=options, **fields).service(f"for-{id_}", deps=[id_])
    with running(made.write()) as run:
        for id_, (*_, why) in OBSTACLES.items():
            obstacle = f"starting: {why.format(port=run.ports(id_)['http'])}"
            wait_until(
                lambda: obstacle in run.service(id_)["message"],  # noqa: B023
                what=f"the obstacle of {id_} to be said",
            )
            assert run.service(id_)["state"] == "starting"
            assert run.service(f"for-{id_}")["message"] == f"waiting for {id_}"
            shown = bundlevisor("status", "--app-data", str(run.app_data))
            assert obstacle in shown.stdout
            assert f"waiting for {id_}" in shown.stdout


def test_who_waits_beside_a_start_waits_for_the_instance_too(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    waiting = subprocess.Popen(
        [*COMMAND, "ready", "--wait", "30", "--app-data", made.app_data],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with waiting, running(made):
        assert waiting.communicate(timeout=60)[0] == "ready: 1 services\n"
        assert waiting.returncode == 0


ASKS_ANOTHER_TO_LISTEN = """
import os, socket, time
with socket.create_connection(("127.0.0.1", int(os.environ["OTHER"]))) as other:
    other.sendall(os.environ["PORT_HTTP"].encode())
    other.recv(1)
time.sleep(600)
"""
LISTENS_IN_ANOTHER_SESSION = """
import os, socket, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        listener = socket.create_server(("127.0.0.1", int(os.environ["PORT_HTTP"])))
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell who listens")
def test_a_program_that_answers_in_the_place_of_a_service_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as asked:
        made = bundle(tmp_path).script("bin/asks", ASKS_ANOTHER_TO_LISTEN)
        made.script("bin/forks", LISTENS_IN_ANOTHER_SESSION)
        tcp: dict[str, Any] = {"health": None, "readiness": {"type": "port_open"}}
        made.service("forks", "bin/forks", **tcp).service("own")
        handed = {"http": {"requires_socket": True}}
        made.service("handed", "reads_listen_fds", ports=handed, **tcp)
        env = {"OTHER": str(asked.getsockname()[1])}
        made.service("robbed", "bin/asks", deps=["forks", "own", "handed"], env=env, **tcp)
        with running(made.write()) as run:
            service, _ = asked.accept()
            port = int(service.recv(16))
            with service, socket.create_server(("127.0.0.1", port)):
                service.sendall(b"!")
                run.until_ready()

                def told() -> list[dict[str, Any]]:
                    events = run.telemetry()
                    return [one for one in events if one["event"] == "port_answered_by_other"]

                wait_until(told, what="the other program to be named")
            [event] = told()
            details = event["details"]
            assert event["service_id"] == "robbed"
            assert (details["name"], details["port"], details["pid"]) == ("http", port, os.getpid())
            said = f"port {port} ('http') is listened on by {details['program']}"
            wait_until(lambda: said in run.stderr, what="the same on the console")


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
for _ in range(32):
    os.write(1, block)
os.write(2, b"\\nlast word\\n")
time.sleep(600)
"""


def test_a_pattern_that_takes_for_ever_holds_up_no_log_and_is_given_up(tmp_path: Path) -> None:
    stubborn: dict[str, Any] = {"type": "log_match", "pattern": "[ab]*a" + "[ab]{1000}" * 5 + "c"}
    stubborn["timeout_ms"] = 600_000  # the search needs seconds of a processor that may be shared
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
