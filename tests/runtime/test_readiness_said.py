"""What is said of a service that is not ready: what it waits for, and who is in its place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Run, bundle, bundlevisor, running, wait_until
from tests.installed import COMMAND
from tests.live_runtime import ROOT

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
    again = {"backoff_ms": 1000, "intensity": 1000}  # a start may be too slow to be looked at
    for id_, (program, options, fields, _) in IN_VAIN.items():
        awaited = {"type": "health_success", **fields.get("readiness", {}), "timeout_ms": 2000}
        made.service(
            id_,
            program,
            options=options,
            **{**fields, "readiness": awaited, "restart": again},
        )
    with running(made.write()) as run:
        for id_, (*_, why) in IN_VAIN.items():
            wait_until(partial(says, run, id_, "not ready within 2 s: ", why), what=f"{id_}: {why}")


def says(run: Run, id_: str, first: str, why: str) -> bool:
    message = str(run.service(id_)["message"])
    return message.startswith(first) and why in message


OBSTACLES: dict[str, tuple[str, dict[str, object], dict[str, Any], str]] = {
    "late": ("listens_late", {"delay_ms": 600_000}, {}, "nothing listens on port {port}"),
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
        awaited = {"type": "health_success", **fields.get("readiness", {}), "timeout_ms": 600_000}
        made.service(id_, program, options=options, readiness=awaited)
        made.service(f"for-{id_}", deps=[id_])
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
        [*COMMAND, "ready", "--wait", "60", "--app-data", made.app_data],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with waiting, running(made):
        assert waiting.communicate(timeout=90)[0] == "ready: 1 service\n"
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


def test_waiting_for_readiness_answers_when_it_can_no_longer_come(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "exits_at_once", restart={"policy": "never"}).write()
    with running(made) as run:
        answer = run.ready(wait=60)
        assert not answer["ready"]
        assert answer["details"]["db"]["state"] == "failed"
