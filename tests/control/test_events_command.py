"""``bundlevisor events`` against a runtime that runs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.control.cli.screen.event_lines import line
from tests.acceptor import Acceptor
from tests.bundle_maker import Run, bundle, bundlevisor, running, wait_until
from tests.control.terminal import on_terminal
from tests.installed import COMMAND


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """For all who only read."""
    yield from ready(tmp_path_factory.mktemp("events"))


@pytest.fixture
def own_run(tmp_path: Path) -> Iterator[Run]:
    yield from ready(tmp_path)


def ready(folder: Path) -> Iterator[Run]:
    made = bundle(folder).service("db").service("web", deps=["db"])
    with running(made.write()) as one:
        one.until_ready()
        wait_until(lambda: "ready" in [event["event"] for event in one.telemetry()], what="ready")
        yield one


def events(run: Run, *options: str, **environment: str) -> list[str]:
    done = bundlevisor("events", "--app-data", str(run.app_data), *options, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_an_event_is_a_line_with_time_service_name_and_words(run: Run) -> None:
    lines = events(run)
    assert [one for one in lines if re.search(r"  web +service_ready$", one)]
    assert [one for one in lines if re.search(r"  db +service_start +pid=\d+$", one)]
    assert [one for one in lines if re.search(r"  - +ready +\S.*; after_ms=", one)]
    for one in lines:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  \S+ +\S+", one), one
        assert "\x1b" not in one


def test_json_is_what_the_telemetry_file_has(run: Run) -> None:
    everything = [json.loads(one) for one in events(run, "--json", "--after", "0")]
    assert everything[:5] == run.telemetry()[:5]
    of_db = [json.loads(one) for one in events(run, "--json", "--service", "db")]
    assert of_db == [one for one in everything if one.get("service_id") == "db"] != []


def test_the_last_ones_and_those_after_a_number(run: Run) -> None:
    everything = [json.loads(one)["seq"] for one in events(run, "--json")]
    last = [json.loads(one)["seq"] for one in events(run, "--json", "--lines", "2")]
    assert last == [last[0], last[0] + 1]
    assert last[1] >= everything[-1]
    after = [json.loads(one)["seq"] for one in events(run, "--json", "--after", str(last[0]))]
    assert after[0] == last[1]
    assert events(run, "--after", "latest") == []


def test_a_service_that_is_not_there_is_a_no(run: Run) -> None:
    done = bundlevisor("events", "--service", "dv", "--app-data", str(run.app_data))
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no service 'dv' in this bundle (did you mean 'db'?)" in done.stderr


@contextmanager
def following(*command: str) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, Any]]]]:
    """``events --json -f`` from its beginning, and what it has printed so far."""
    with subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, text=True) as process:
        seen: list[dict[str, Any]] = []

        def read() -> None:
            assert process.stdout is not None
            seen.extend(map(json.loads, process.stdout))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield process, seen
        finally:
            process.kill()
            reader.join()


def names(seen: list[dict[str, Any]], service: str) -> list[str]:
    return [one["event"] for one in seen if one.get("service_id") == service]


def test_following_shows_what_comes_and_ends_with_the_instance(own_run: Run) -> None:
    run = own_run
    with following("events", "-f", "--json", "--app-data", str(run.app_data)) as (process, seen):
        wait_until(lambda: "service_ready" in names(seen, "web"), what="what was before")
        run.post("/services/web/restart")
        wait_until(lambda: names(seen, "web").count("service_ready") == 2, what="the restart")
        run.post("/shutdown")
        run.wait_gone()
        assert process.wait(20) == 0
    numbers = [one["seq"] for one in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.skipif(sys.platform == "win32", reason="there a Ctrl-C goes to the whole console")
def test_ctrl_c_ends_it_well(run: Run) -> None:
    with following("events", "-f", "--json", "--app-data", str(run.app_data)) as (process, seen):
        wait_until(lambda: seen, what="an event")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


class Relay:
    """Passes requests on to a runtime; breaks off the first ones that wait."""

    def __init__(self, port: int, breaks: int) -> None:
        self.left = breaks
        self._target = port
        self._acceptor = Acceptor(self._serve)
        self.port = self._acceptor.port
        self.close = self._acceptor.close

    def _serve(self, client: socket.socket) -> None:
        threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            self._exchange(client)

    def _exchange(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as there:
            asked = client.recv(1 << 16)
            if b"wait=" in asked and self.left:
                self.left -= 1
                return
            there.sendall(asked)
            while answer := there.recv(1 << 16):
                client.sendall(answer)
                head, _, body = answer.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                if length and len(body) >= int(length[1]):
                    return


def test_a_connection_that_breaks_costs_no_event(own_run: Run) -> None:
    run = own_run
    relay = Relay(run.port, breaks=2)
    token = run.listening["token_path"]
    where = ("ctl", "--port", str(relay.port), "--token-file", token)
    with following(*where, "events", "-f") as (_, seen):
        wait_until(lambda: relay.left == 0, what="both breaks")
        run.post("/services/web/restart")
        wait_until(lambda: names(seen, "web").count("service_ready") == 2, what="the restart")
    relay.close()
    numbers = [one["seq"] for one in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals in Python")
def test_colours_are_for_terminals_without_no_color(run: Run) -> None:
    command = [*COMMAND, "events", "--app-data", str(run.app_data)]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    plain["TERM"] = "xterm"
    assert b"\x1b[32mservice_ready" in on_terminal(command, plain)
    assert b"\x1b" not in on_terminal(command, {**plain, "NO_COLOR": "1"})
    assert b"\x1b" not in on_terminal(command, {**plain, "TERM": "dumb"})


def test_an_event_cannot_steer_the_terminal_nor_fill_it() -> None:
    details = {"error": "\x1b[2Jgone\nx", "last_lines": ["y"] * 100, "exit_code": 3, "by": "itself"}
    one = {"ts": "?", "event": "service_exit", "service_id": "a", "details": details}
    shown = line(one, lambda text, _codes: text)
    assert shown.split() == ["?", "a", "service_exit", "[2Jgone", "x;", "exit_code=3", "by=itself"]
