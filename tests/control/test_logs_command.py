"""``bundlevisor logs`` of several services, against a runtime that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundlevisor.control.cli.parser.parser_base import age
from tests.bundle_maker import Run, bundle, bundlevisor, running, wait_until
from tests.control.terminal import on_terminal
from tests.installed import COMMAND

SAYS = """
import os, sys, time
SAID = {"db": ("one", "two"), "web-page": ("\\x1b[2Jeins", "zwei")}
id_ = os.path.basename(sys.argv[sys.argv.index("--record") + 1]).partition(".")[0]
log = os.path.join(os.environ["APP_DATA_DIR"], "logs", id_ + ".log")
for word in SAID[id_]:
    print(word, flush=True)
    while True:  # what comes next has a time of its own
        time.sleep(0.1)
        if os.path.exists(log) and word in open(log).read():
            break
print("said", flush=True)
while True:
    time.sleep(1000)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """For all who only read."""
    yield from said(tmp_path_factory.mktemp("said"))


@pytest.fixture
def own_run(tmp_path: Path) -> Iterator[Run]:
    yield from said(tmp_path)


def said(folder: Path) -> Iterator[Run]:
    made = bundle(folder).script("bin/says", SAYS)
    for id_ in ("db", "web-page"):
        made.service(id_, "bin/says", ports=(), health=None)
    with running(made.write()) as one:
        one.until_ready()
        wait_until(lambda: all("said" in one.log(id_) for id_ in ("db", "web-page")))
        yield one


def logs(run: Run, *options: str, code: int = 0) -> list[str]:
    done = bundlevisor("logs", "--app-data", str(run.app_data), *options)
    assert done.returncode == code, done.stderr
    return done.stdout.splitlines() if code == 0 else done.stderr.splitlines()


def test_all_services_are_interleaved_by_time_with_a_prefix_each(run: Run) -> None:
    lines = logs(run)
    assert [one for one in lines if one.startswith("db ")] == [
        f"db       | {word}" for word in ("one", "two", "said")
    ]
    assert [one for one in lines if one.startswith("web-page ")] == [
        f"web-page | {word}" for word in ("\x1b[2Jeins", "zwei", "said")
    ]
    documents = [json.loads(one) for one in logs(run, "--json")]
    assert [f"{one['service']:8} | {one['line']}" for one in documents] == lines
    moments = [one["time"] for one in documents]
    assert moments == sorted(moments)
    assert len(set(moments)) > 2
    run.await_told("runtime_start")
    assert run.telemetry()[0]["ts"] < moments[0]


def test_one_service_stays_as_it_is(run: Run) -> None:
    as_it_is = ["one", "two", "said"]
    for words in (("db",), ("--service", "db"), ("db", "--service", "db")):
        assert logs(run, *words) == as_it_is
    assert logs(run, "db", "--lines", "1") == ["said"]
    stamped = logs(run, "db", "--timestamps")
    assert [one[25:] for one in stamped] == as_it_is
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  \w", one) for one in stamped)


def test_several_services_may_be_named_wherever_options_stand(run: Run) -> None:
    both = logs(run)
    assert logs(run, "db", "web-page") == both
    assert logs(run, "db", "--lines", "200", "web-page") == both
    assert logs(run, "--service", "db", "web-page") == both
    assert sorted(logs(run, "-n", "1")) == ["db       | said", "web-page | said"]
    assert logs(run, "-n", "0") == []
    refused = logs(run, "db", "nobody", code=1)
    assert "there is no service 'nobody' in this bundle" in refused[0]


def test_grep_and_since_choose_lines(run: Run) -> None:
    assert sorted(logs(run, "--grep", "^(two|zwei)$")) == ["db       | two", "web-page | zwei"]
    assert logs(run, "db", "--grep", "o", "--since", "1h") == ["one", "two"]
    assert logs(run, "db", "--grep", "(a+)+$") == []
    assert "'(' is not a regular expression" in logs(run, "--grep", "(", code=2)[-1]
    assert logs(run, "--previous") == []


def test_the_run_before_the_last_restart_and_what_is_older_than_an_hour(own_run: Run) -> None:
    run = own_run
    assert run.post("/services/db/restart?wait=20").json()["done"]
    wait_until(lambda: run.log("db").count("said") == 2, what="the second run's words")
    assert logs(run, "db", "--previous") == ["one", "two", "said"]
    assert logs(run, "--previous", "-n", "1") == ["db       | said"]
    assert "neither follow nor since" in logs(run, "--previous", "-f", code=1)[0]
    index = run.app_data / "logs" / "db.log.times"
    index.write_bytes(b"")  # on Windows nobody can remove it while it is written
    os.utime(run.app_data / "logs" / "db.log", (1e9, 1e9))
    assert logs(run, "--since", "1h", "db") == []


@contextmanager
def following(*command: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    with subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, text=True) as process:
        seen: list[str] = []

        def read() -> None:
            assert process.stdout is not None
            seen.extend(process.stdout)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield process, seen
        finally:
            process.kill()
            reader.join()


@pytest.mark.skipif(os.name == "nt", reason="no thread can wait for a pipe's other end there")
@pytest.mark.parametrize("command", ["logs -f db", "logs -f", "events -f", "status --watch"])
def test_who_follows_ends_when_nobody_reads_any_more(run: Run, command: str) -> None:
    words = [*COMMAND, *command.split(), "--app-data", str(run.app_data)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()  # and no line comes that would tell
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_following_has_no_gap_and_no_double(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for id_ in ("a", "b"):
        made.service(id_, "talks", options={"every_ms": 5}, ports=(), health=None)
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: "line 20\n" in run.log("a"), what="some lines")
        command = ("logs", "-f", "--lines", "10000", "--app-data", str(run.app_data))
        with following(*command) as (process, seen):
            wait_until(lambda: {one[0] for one in seen} == {"a", "b"}, what="both services")
            last = run.log("b").count("\n") + 100
            wait_until(lambda: f"b | line {last}\n" in seen, 30, "what comes")
            run.post("/shutdown")
            assert process.wait(30) == 0
        for id_ in ("a", "b"):
            numbers = [int(one.split()[-1]) for one in seen if one.startswith(id_)]
            assert numbers == list(range(len(numbers)))


LAST_WORDS = """
import signal, time

def say_goodbye(*_):
    print("".join(f"goodbye {number}\\n" for number in range(20000)), end="", flush=True)
    raise SystemExit

signal.signal(signal.SIGTERM, say_goodbye)
print("hello", flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
@pytest.mark.parametrize("services", [("a",), ()])
def test_who_follows_gets_what_services_say_at_the_end(
    tmp_path: Path, services: tuple[str, ...]
) -> None:
    made = bundle(tmp_path)
    for id_ in ("a", "b", "c"):
        made.script(f"bin/{id_}", LAST_WORDS).service(id_, f"bin/{id_}", ports=(), health=None)
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: all("hello" in run.log(id_) for id_ in "abc"), what="they run")
        with following("logs", *services, "-f", "--app-data", str(run.app_data)) as (process, seen):
            wait_until(lambda: len(seen) == (len(services) or 3), what="what was before")
            run.post("/shutdown")
            assert process.wait(30) == 0
    goodbyes = [one for one in seen if "goodbye" in one]
    assert len(goodbyes) == 20000 * (len(services) or 3)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals in Python")
def test_on_a_terminal_services_have_colours_and_steer_nothing(run: Run) -> None:
    command = [*COMMAND, "logs", "--app-data", str(run.app_data)]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    plain["TERM"] = "xterm"
    coloured = on_terminal(command, plain).splitlines()
    assert b"\x1b[36mdb       |\x1b[0m one" in coloured
    assert b"\x1b[33mweb-page |\x1b[0m ^[[2Jeins" in coloured
    bare = on_terminal(command, {**plain, "NO_COLOR": "1"})
    assert b"\x1b" not in bare
    assert b"db       | one" in bare
    raw = on_terminal([*command, "--raw"], {**plain, "NO_COLOR": "1"})
    assert b"web-page | \x1b[2Jeins" in raw


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals in Python")
def test_a_colour_does_not_go_on_after_ctrl_c(tmp_path: Path) -> None:
    import pty

    script = "import time\nprint('\\x1b[31mhalf a line', end='', flush=True)\ntime.sleep(1000)\n"
    made = bundle(tmp_path).script("bin/a", script).service("a", "bin/a", ports=(), health=None)
    with running(made.write()) as run:
        run.until_ready()
        pid, terminal = pty.fork()
        if pid == 0:
            command = [*COMMAND, "logs", "a", "-f", "--app-data", str(run.app_data)]
            os.execv(command[0], command)
        shown = b""
        while not shown.endswith(b"\x1b[0m"):
            before = shown
            shown += os.read(terminal, 1000)  # an error when it has ended without
            if b"a line" in shown and b"a line" not in before:
                os.write(terminal, b"\x03")
        os.waitpid(pid, 0)
        os.close(terminal)


def test_the_api_refuses_what_it_does_not_know(run: Run) -> None:
    assert run.get("/logs/lines?services=nobody").status == 404
    assert run.get("/logs/lines?since=soon").status == 400
    assert run.get("/logs/lines?follow=perhaps").status == 400
    reply = run.get("/logs/lines?services=db&lines=1")
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    assert reply.json()["line"] == "said"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172800)]
)
def test_an_age_is_said_as_people_say_it(text: str, seconds: int) -> None:
    assert age(text) == seconds
