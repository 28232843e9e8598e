"""What services say of themselves, with the installed command: sockets, lines, and who is heard."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")

NOTIFY = {"type": "notify"}


class Speaker:
    """A bundle of one service, or more, that says what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.made = bundle(folder)
        self.folder = folder

    def add(self, service_id: str, readiness: dict[str, Any], **fields: Any) -> Speaker:
        options = {"orders": self.folder / service_id, **fields.pop("options", {})}
        self.made.service(
            service_id,
            "speaks",
            ports=(),
            options=options,
            readiness=readiness,
            health=None,
            **fields,
        )
        return self

    def order(self, service_id: str, *orders: str) -> None:
        with (self.folder / service_id).open("a") as file:
            file.writelines(f"{order}\n" for order in orders)


def detail(run: Run, service_id: str) -> Any:
    return run.get("/readyz").json()["details"][service_id]


def await_message(run: Run, service_id: str, message: str) -> None:
    wait_until(lambda: detail(run, service_id)["message"] == message, what=message)


def address_of(run: Run, service_id: str) -> str:
    told = wait_until(lambda: run.events(service_id, "told"), what="the service runs")
    return str(told[-1]["address"])


def say(word: bytes, address: str) -> None:
    """Say something as a process that is none of the service's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(word, f"\0{address[1:]}" if address.startswith("@") else address)


@pytest.fixture
def speaker(tmp_path: Path) -> Speaker:
    return Speaker(tmp_path)


def test_a_service_is_ready_when_it_says_so(speaker: Speaker) -> None:
    speaker.add("db", NOTIFY).add("api", {"type": "dependencies_ready"}, dependencies=["db"])
    with running(speaker.made.write()) as run:
        speaker.order("db", "notify STATUS=reading the index")
        await_message(run, "db", "starting: reading the index")
        assert detail(run, "api")["waiting_for"] == ["db"]
        speaker.order("db", "notify READY=1;STATUS=12 clients")
        assert run.until_ready()["ready"]
        await_message(run, "db", "ready: 12 clients")
        assert address_of(run, "api") == "", "only who notifies is told where"


def test_what_is_said_while_starting_is_progress(speaker: Speaker) -> None:
    speaker.add("db", NOTIFY)
    with running(speaker.made.write()) as run:
        speaker.order("db", "print ::progress 40 loading model", "print and more")
        await_message(run, "db", "starting: loading model (40%)")
        progress = wait_until(
            lambda: (p := run.get("/readyz").json()["progress"]).get("last_line") and p
        )
        assert progress["last_line"] == "and more"
        assert progress["fraction"] >= 0.4
        assert (progress["done"], progress["total"], progress["slowest"]) == (0, 1, "db")
        work = progress["working_on"][0]
        assert (work["phase"], work["text"], work["fraction"]) == ("probing", "loading model", 0.4)
        speaker.order("db", "print ::progress 10 again")
        await_message(run, "db", "starting: again (10%)")
        assert run.get("/readyz").json()["progress"]["fraction"] >= progress["fraction"]
        speaker.order("db", "print ::progress 100")
        assert run.until_ready()["progress"] == {"fraction": 1.0, "done": 1, "total": 1}
        assert "::progress 40 loading model" in run.log("db"), "the lines stand in the log, too"


def test_a_line_of_a_hundred_makes_only_those_ready_that_say_it_themselves(
    speaker: Speaker,
) -> None:
    speaker.add("db", {"type": "log_match", "pattern": "^open$"})
    with running(speaker.made.write()) as run:
        speaker.order("db", "print ::progress 100 loaded")
        await_message(run, "db", "starting: loaded (100%)")
        speaker.order("db", "print open")
        assert run.until_ready()["details"]["db"]["message"] == "ready"


def test_children_are_heard_and_strangers_are_not(speaker: Speaker) -> None:
    speaker.add("db", NOTIFY)
    with running(speaker.made.write()) as run:
        say(b"READY=1\nSTATUS=stranger", address_of(run, "db"))
        speaker.order("db", "child STATUS=of a child")
        await_message(run, "db", "starting: of a child")
        if sys.platform == "linux":  # macOS does not say who has sent
            assert [event["event"] for event in run.telemetry()].count("service_ready") == 0
        speaker.order("db", "notify READY=1")
        assert run.until_ready()["ready"]


def test_nobody_hears_at_the_address_of_a_start_that_is_over(speaker: Speaker) -> None:
    speaker.add("db", NOTIFY, options={"say": "notify READY=1"})
    with running(speaker.made.write()) as run:
        run.until_ready()
        address = address_of(run, "db")
        say(b"STATUS=hello", address)
        assert run.post("/services/db/restart?wait=60").json()["state"] == "ready"
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            say(b"STATUS=hello", address)


@pytest.mark.skipif(not shutil.which("systemd-notify"), reason="systemd-notify is not installed")
def test_systemds_own_tool_is_understood(tmp_path: Path) -> None:
    """It waits until it was heard, by a descriptor that it sends (sd_notify_barrier(3))."""
    made = bundle(tmp_path).script("bin/service", TOOL)
    made.service("db", "bin/service", ports=(), readiness=NOTIFY, health=None)
    with running(made.write()) as run:
        await_message(run, "db", "ready: by the tool")


TOOL = """
import subprocess, time
subprocess.run(["systemd-notify", "--status=by the tool", "--ready"], check=True, timeout=60)
while True:
    time.sleep(3600)
"""


def test_secrets_are_hidden_in_what_is_said(speaker: Speaker) -> None:
    speaker.made.set(
        secrets=[
            {
                "id": "key",
                "class": "user_prompt",
                "target": {"type": "env", "name": "KEY"},
            }
        ]
    )
    speaker.add("db", NOTIFY, secrets=["key"])
    with running(speaker.made.write()) as run:
        assert run.post("/secrets", {"secrets": {"key": "hunter-222"}}).status == 200
        speaker.order("db", "notify STATUS=with hunter-222 here")
        await_message(run, "db", "starting: with [secret:key] here")
        speaker.order("db", "print ::progress 5 and hunter-222", "print last hunter-222 line")
        await_message(run, "db", "starting: and [secret:key] (5%)")
        wait_until(
            lambda: (
                run.get("/readyz").json()["progress"].get("last_line") == "last [secret:key] line"
            ),
            what="the last line",
        )


def test_more_time_is_given_to_who_asks_for_it(speaker: Speaker) -> None:
    """Two with the same bound: the one that asked still starts when the other has failed."""
    bound = {**NOTIFY, "timeout_ms": 5000}  # also where a start takes long
    never = {"restart": {"policy": "never"}}
    speaker.add("slow", bound, options={"say": "notify EXTEND_TIMEOUT_USEC=600000000"}, **never)
    speaker.add("late", bound, **never)
    with running(speaker.made.write()) as run:
        wait_until(lambda: detail(run, "late")["state"] == "failed", what="the bound is over")
        assert (
            "not ready within 5 s: it has not said that it is ready"
            in (detail(run, "late")["message"])
        )
        assert detail(run, "slow")["state"] == "starting"
        speaker.order("slow", "notify READY=1")
        wait_until(lambda: detail(run, "slow")["ready"], what="it is ready")


def test_who_gives_no_sign_of_life_or_is_not_well_is_restarted_and_who_stops_has_stopped_itself(
    speaker: Speaker,
) -> None:
    ready = {"say": "notify READY=1"}
    speaker.add("mute", {**NOTIFY, "watchdog_ms": 300}, options=ready)
    speaker.add("unwell", NOTIFY, options=ready)
    speaker.add("stops", NOTIFY, options=ready, restart={"policy": "never"})
    with running(speaker.made.write()) as run:
        for id_ in ("unwell", "stops"):
            run.until_service_ready(id_)
        assert wait_until(lambda: run.events("mute", "told"))[0]["watchdog"] == "300000"
        wait_until(lambda: detail(run, "mute")["restarts"] >= 1, what="the watchdog")
        causes = [one["error"] for one in run.await_told("unhealthy", "mute")]
        assert causes[0] == "no sign of life within 0.3 s"
        assert detail(run, "unwell")["restarts"] == 0
        speaker.order("unwell", "notify WATCHDOG=trigger")
        wait_until(lambda: detail(run, "unwell")["restarts"] >= 1, what="the restart")
        speaker.order("stops", "notify STOPPING=1")
        await_message(run, "stops", "it says that it is stopping")
        assert not detail(run, "stops")["ready"]
        speaker.order("stops", "exit 3")
        wait_until(lambda: detail(run, "stops")["state"] == "failed", what="its end")
        ends = run.await_told("service_exit", "stops")
        assert [(end["by"], end["exit_code"]) for end in ends] == [("itself", 3)]


def test_no_service_speaks_for_the_runtime(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where systemd has started the runtime so, its socket is not for services."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    speaker.made.service("db", "reports_environment")
    with running(speaker.made.write()) as run:
        run.until_ready()
        told = run.events("db", "environment")[0]["env"]
        assert {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(told) == set()


def test_a_migration_says_how_far_it_is(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/migrate", MIGRATE)
    gate = tmp_path / "gate"
    migration = {"version": "2", "command": ["bin/migrate", str(gate)]}
    made.service("db", migrations=[migration])
    with running(made.write()) as run:
        await_message(run, "db", "migration 2 (1 of 1): copying rows")
        progress = run.get("/readyz").json()["progress"]
        work = progress["working_on"][0]
        assert (work["phase"], work["fraction"]) == ("migration", 0.25)
        gate.touch()
        run.until_ready()


MIGRATE = """
import os, sys, time
print("::progress 25 copying rows", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
"""


def test_a_start_is_foreseen_from_those_before(tmp_path: Path) -> None:
    made: Bundle = bundle(tmp_path).service("db", "listens_late", options={"delay_ms": 300})
    speaker = Speaker(tmp_path)
    speaker.made = made
    speaker.add("api", NOTIFY, dependencies=["db"], options={"say": "notify READY=1"})
    with running(made.write()) as run:
        assert "remaining_s" not in run.get("/readyz").json()["progress"]
        run.until_ready()
        kept = made.app_data / "runtime" / "timelines.json"
        wait_until(kept.exists, what="the start is remembered")
    speaker.add("api", NOTIFY, dependencies=["db"])
    with running(made.write()) as run:

        def foreseen() -> Any:
            works = run.get("/readyz").json()["progress"].get("working_on", ())
            return [work for work in works if work["service"] == "api" and "usual_s" in work]

        assert 0 <= wait_until(foreseen, what="what is usual")[0]["usual_s"] < 60
        speaker.order("api", "notify READY=1")
        run.until_ready()
    kept.write_bytes(kept.read_bytes()[:-9])
    with running(made) as run:
        speaker.order("api", "notify READY=1")
        assert run.until_ready()["ready"], "a torn file is no reason to fail"
        wait_until(lambda: list(kept.parent.glob("timelines.json.corrupt-*")), what="it is kept")
        wait_until(kept.exists, what="and this start is remembered")
        json.loads(kept.read_bytes())
