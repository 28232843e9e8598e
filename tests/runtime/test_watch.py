"""``run --watch``: a service whose files change is restarted, and what its strategy says."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until, wrapper, write_executable

STARTS = "started"


def made(folder: Path) -> Bundle:
    """Services whose programs have folders of their own, and a page."""
    of = bundle(folder).set(supervision={"strategy": "rest_for_one"})
    for id_, deps in (("db", ()), ("api", ("db",)), ("web", ("api",))):
        path = f"{id_}/run"
        of.script(path, wrapper("well_behaved"))
        of.service(id_, path, deps=deps, options=script_of(of, id_))
        of.file(f"{id_}/settings.txt", "1").file(f"{id_}/main.js", "")
    of.file("ui/index.html", "old").file("ui/.keep", "")
    of.service("page", type="ui-bundle", binaries={"universal": {"path": "ui"}}, deps=["api"])
    return of.write()


def script_of(of: Bundle, id_: str) -> dict[str, Path]:
    """As if the program was an interpreter."""
    return {"script": of.root / id_ / "main.js"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(made(tmp_path_factory.mktemp("watched")), "--watch") as run:
        watched(run)
        yield run


@pytest.fixture
def run(shared: Run) -> Run:
    """For all who change files of their own, and leave each service ready or on its way to it."""
    shared.until_ready(60)
    return shared


def watched(run: Run) -> None:
    wait_until(lambda: "watching" in run.stderr, what="the watch")


def change(path: Path, text: str) -> None:
    """Write a file in one go: what is written in two may be seen as two changes."""
    new = path.with_name(f"{path.name}.tmp")  # which nobody looks at
    new.write_text(text)
    new.replace(path)


class Starts:
    """How often each service has been started since this was made."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._before = dict.fromkeys(("db", "api", "web"), 0)
        self._before = self.now()

    def now(self) -> dict[str, int]:
        """By service."""
        return {id_: len(self._run.events(id_, STARTS)) - n for id_, n in self._before.items()}


def said(run: Run, text: str) -> bool:
    """Whether the runtime's log, which is lines of JSON, has this."""
    return json.dumps(text)[1:-1] in run.stderr


def told(run: Run, event: str) -> list[dict[str, Any]]:
    return [one for one in run.telemetry() if one["event"] == event]


def await_a_look(run: Run) -> None:
    """Return when all that has changed until now has been seen and acted on."""
    for _ in range(2):  # when the second is told, what came with the first has been done
        await_bundle_change(run)


def await_bundle_change(run: Run) -> None:
    before = len(told(run, "bundle_changed"))
    change(run.bundle.path, run.bundle.path.read_text())
    wait_until(lambda: len(told(run, "bundle_changed")) > before, what="a look at the bundle")


def test_what_changed_is_restarted_with_what_needs_it(run: Run) -> None:
    starts = Starts(run)
    change(run.bundle.root / "api" / "settings.txt", "22")
    wait_until(lambda: starts.now() == {"db": 0, "api": 1, "web": 1}, what="the restarts")
    run.until_ready(60)

    def of_api() -> list[dict[str, Any]]:
        return [one for one in told(run, "files_changed") if one["service_id"] == "api"]

    wait_until(of_api, what="the event")
    (event,) = of_api()
    assert event["details"]["files"] == [os.path.join("api", "settings.txt")]
    assert "web" in event["details"]["affected"]
    words = f"{os.path.join('api', 'settings.txt')} changed: api is restarted"
    run.until_said(json.dumps(words)[1:-1])
    assert starts.now() == {"db": 0, "api": 1, "web": 1}


def test_files_of_tools_restart_nothing(run: Run) -> None:
    starts = Starts(run)
    for name in ("node_modules/x.js", "__pycache__/x.pyc", ".git/HEAD", "x.swp"):
        path = run.bundle.root / "db" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    change(run.bundle.root / "web" / "new.txt", "this is what is waited for")
    wait_until(lambda: starts.now()["web"] == 1, what="the restart of web")
    assert starts.now() == {"db": 0, "api": 0, "web": 1}


def test_a_page_needs_no_restart(run: Run) -> None:
    starts, before = Starts(run), run.service("page")
    change(run.bundle.root / "ui" / "index.html", "newer")
    change(run.bundle.root / "web" / "newer.txt", "this is what is waited for")
    wait_until(lambda: starts.now()["web"] == 1, what="the restart of web")
    assert run.service("page") == before
    connection = http.client.HTTPConnection("127.0.0.1", run.ports("page")["http"], timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"newer"


def test_a_service_that_was_stopped_stays_so(run: Run) -> None:
    starts = Starts(run)
    assert run.post("/services/web/stop?wait=30").json()["done"]
    change(run.bundle.root / "web" / "settings.txt", "22")
    change(run.bundle.root / "db" / "settings.txt", "22")
    wait_until(lambda: starts.now()["db"] == 1, what="the restart of db")
    assert run.service("web")["state"] == "stopped"
    assert starts.now()["web"] == 0
    assert run.post("/services/web/start?wait=30").json()["done"]


@pytest.mark.parametrize("name", ["run", "main.js"])
def test_a_program_that_is_being_built_is_waited_for(run: Run, name: str) -> None:
    starts = Starts(run)
    program = run.bundle.root / "web" / name
    source = program.read_bytes()
    pid = run.service("web")["pid"]
    program.unlink()
    await_a_look(run)
    assert run.service("web").get("pid") == pid
    assert starts.now()["web"] == 0
    new = program.with_name(f"{name}.new")
    new.write_bytes(source + b"# built\n")
    new.chmod(0o755)
    new.rename(program)
    wait_until(lambda: starts.now()["web"] == 1, what="the restart of web")
    run.until_ready(60)


def test_a_service_that_had_failed_for_good_is_started_again(tmp_path: Path) -> None:
    of = bundle(tmp_path).script("db/run", "raise SystemExit(1)\n")
    of.service("db", "db/run", restart={"policy": "never"}).write()
    with running(of, "--watch") as run:
        wait_until(lambda: run.service("db")["state"] == "failed", what="the failure")
        watched(run)
        write_executable(of.root / "db" / "run", wrapper("well_behaved").encode())
        wait_until(lambda: run.service("db")["state"] == "ready", what="the service")


def test_a_changed_bundle_is_told_and_not_taken_over(run: Run) -> None:
    starts = Starts(run)
    before = len(told(run, "bundle_changed"))
    source = run.bundle.path.read_bytes()
    script, env = script_of(run.bundle, "web"), {"LEVEL": "debug"}
    web = run.bundle.service("web", "web/run", deps=["api"], options=script, env=env)
    document = web.document
    change(run.bundle.path, json.dumps(document))
    new = "the bundle was changed: services.web.env.LEVEL (new); end this run and start it again"
    wait_until(lambda: said(run, new), what="the difference")
    document["services"][0]["critical"] = "yes"
    change(run.bundle.path, json.dumps(document))
    wait_until(lambda: "services[0].critical" in run.stderr, what="the error")
    wait_until(lambda: len(told(run, "bundle_changed")) == before + 2, what="the events")
    events = told(run, "bundle_changed")[before:]
    assert [bool(one["details"]["errors"]) for one in events] == [False, True]
    assert starts.now() == {"db": 0, "api": 0, "web": 0}
    run.bundle.path.write_bytes(source)


def test_without_watch_nothing_is_looked_at(tmp_path: Path) -> None:
    with running(made(tmp_path)) as run:
        run.until_ready(60)
        run.await_told("ready")
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert "watching" not in run.stderr


def test_a_file_that_changes_all_the_time_holds_no_restart_up(run: Run) -> None:
    starts, over = Starts(run), threading.Event()

    def write() -> None:
        with open(run.bundle.root / "db" / "state.db", "wb", buffering=0) as file:
            while not over.wait(0.01):
                file.write(b"x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        change(run.bundle.root / "web" / "settings.txt", "22")
        wait_until(lambda: starts.now()["web"] >= 1, what="the restart of web")
    finally:
        over.set()
        writer.join()
    # Where this writer had to wait for the processor, the file has come to rest before.
    wait_until(lambda: starts.now()["db"] >= 1, what="the restart of db")


def test_a_file_that_its_own_service_writes_is_given_up(tmp_path: Path) -> None:
    writes = "open(__file__ + '.count', 'a').write('x')\n"
    of = bundle(tmp_path).script("db/run", writes + wrapper("well_behaved")).service("db", "db/run")
    of.service("web", deps=["db"])
    of.write()
    with running(of, "--watch") as run:
        watched(run)
        (of.root / "db" / "trigger").touch()
        given_up = f"{os.path.join('db', 'run.count')} changes again and again"
        wait_until(lambda: said(run, given_up), 60, "the end of the restarts")
        run.until_ready(60)
        before = run.service("db")["restarts"], len(run.events("db", STARTS))
        (of.root / "bundle.json").touch()
        wait_until(lambda: "again what this run was started with" in run.stderr, what="a look")
        assert (run.service("db")["restarts"], len(run.events("db", STARTS))) == before
