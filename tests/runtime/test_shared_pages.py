"""Several pages of a running bundle: one process serves them, and each is a service of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.testing.processes import lives
from tests.bundle_maker import Bundle, Run, bundle, running, starting, wait_until
from tests.faults.scene import guardian_of

PAGES = ("docs", "admin", "ui")


def page(made: Bundle, service_id: str, **fields: Any) -> Bundle:
    made.file(f"{service_id}/index.html", f"the page {service_id}")
    defaults: dict[str, Any] = {
        "type": "ui-bundle",
        "binaries": {"universal": {"path": service_id}},
        "health": {"type": "http", "path": "/", "interval_ms": 50, "timeout_ms": 2000},
        "readiness": {"type": "health_success"},
        "restart": {"policy": "always", "backoff_ms": 10},
    }
    return made.service(service_id, **(defaults | fields))


def three_pages(folder: Path, **fields: Any) -> Bundle:
    made = bundle(folder)
    for service_id in PAGES:
        page(made, service_id, **fields)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with running(three_pages(tmp_path).write()) as run:
        run.until_ready()
        yield run


def pids(run: Run) -> list[int]:
    return [run.service(service_id)["pid"] for service_id in PAGES]


def process_of(run: Run) -> psutil.Process:
    """Return the only process of all pages."""
    (pid,) = set(pids(run))
    return psutil.Process(pid)


def connect(run: Run, service_id: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", run.ports(service_id)["http"], timeout=20)


def ask(run: Run, service_id: str, path: str = "/") -> tuple[int, str]:
    with contextlib.closing(connect(run, service_id)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def is_refused(run: Run, service_id: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", run.ports(service_id)["http"])) != 0


def assert_served(run: Run, *service_ids: str) -> None:
    for service_id in service_ids:
        assert ask(run, service_id) == (200, f"the page {service_id}")


def all_are_back(run: Run, before: int) -> bool:
    services = [run.service(service_id) for service_id in PAGES]
    return all(one["state"] == "ready" and one["pid"] != before for one in services)


def test_three_pages_have_one_process_and_each_its_log_and_its_part(run: Run) -> None:
    process = process_of(run)
    for service_id in PAGES:
        assert_served(run, service_id)
        wait_until(partial(run.log, service_id), what="its line")
        said = run.log(service_id).splitlines()
        assert len(said) == 1
        assert said[0].endswith(f"http://127.0.0.1:{run.ports(service_id)['http']}/")
    env = process.environ()
    assert "SERVICE_ID" not in env, "it is no service's own"
    status = {one["id"]: one for one in run.get("/status").json()["services"]}
    memory = [status[service_id]["rss_bytes"] for service_id in PAGES]
    whole = process.memory_info().rss
    assert whole / 2 < sum(memory) < whole * 2, "the parts are those of one process"
    assert len(set(memory)) == 1


def test_a_restart_of_one_leaves_connections_and_process_of_the_others_alone(run: Run) -> None:
    process = process_of(run)
    with contextlib.closing(connect(run, "ui")) as kept:
        kept.request("GET", "/")
        kept.getresponse().read()
        ours = kept.sock.getsockname()
        assert run.post("/services/docs/restart?wait=20").json()["state"] == "ready"
        kept.request("GET", "/")
        assert kept.getresponse().read() == b"the page ui"
        assert kept.sock.getsockname() == ours
    assert process_of(run) == process
    wait_until(lambda: run.log("docs").count("ui server: serving") == 2, what="its second line")
    assert [run.log(other).count("ui server: serving") for other in ("admin", "ui")] == [1, 1]
    assert [run.service(service_id)["restarts"] for service_id in PAGES] == [0, 0, 0]


def test_one_is_stopped_and_started_and_the_last_takes_the_process_along(run: Run) -> None:
    process = process_of(run)
    for stopped, rest in (("docs", ("admin", "ui")), ("ui", ("admin",)), ("admin", ())):
        assert run.post(f"/services/{stopped}/stop?wait=20").json()["state"] == "stopped"
        assert is_refused(run, stopped)
        assert_served(run, *rest)
        assert lives(process) is bool(rest)
    for service_id in PAGES:
        run.post(f"/services/{service_id}/start?wait=20")
    assert process_of(run) != process
    assert_served(run, *PAGES)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM"])
def test_the_end_of_the_process_is_that_of_each_page_and_all_come_back(run: Run, name: str) -> None:
    """After a fault each has a process of its own; an end in good order is none."""
    number = signal.Signals[name]
    before = process_of(run).pid
    os.kill(before, number)
    wait_until(partial(all_are_back, run, before), what="all pages are back")
    assert_served(run, *PAGES)
    assert [run.service(service_id)["restarts"] for service_id in PAGES] == [1, 1, 1]
    processes = set(pids(run))
    assert len(processes) == (1 if number == signal.SIGTERM else 3)
    if number != signal.SIGTERM:
        failing = run.service("docs")["pid"]
        os.kill(failing, number)
        wait_until(partial(replaced, run, "docs", failing), what="the page is back")
        assert [run.service(other)["restarts"] for other in PAGES] == [2, 1, 1]


def replaced(run: Run, service_id: str, before: int) -> bool:
    now = run.service(service_id)
    return bool(now["state"] == "ready" and now["pid"] != before)


@pytest.mark.skipif(sys.platform == "win32", reason="nothing stands still there")
def test_a_process_that_stands_still_is_killed_for_the_page_that_does_not_go(
    tmp_path: Path,
) -> None:
    unchecked: dict[str, Any] = {
        "health": None,
        "readiness": {"type": "port_open", "port_name": "http"},
    }
    with running(three_pages(tmp_path, stop={"timeout_ms": 300}, **unchecked).write()) as run:
        run.until_ready()
        before = process_of(run).pid
        os.kill(before, signal.SIGSTOP)
        run.post("/services/docs/stop?wait=20")
        assert run.service("docs")["state"] == "stopped"
        for other in ("admin", "ui"):
            wait_until(partial(replaced, run, other, before), what="another process serves it")
        assert_served(run, "admin", "ui")


NEVER_IMPATIENT = """
import sys
from bundlevisor.actors.ui_server.parent import hosted_page
hosted_page.DROP_WITHIN = 3600.0
from bundlevisor.control.__main__ import main
sys.exit(main())
"""
"""Or it would kill a process that a busy machine holds up for half a second."""


def test_a_page_that_is_not_done_in_its_grace_is_cut_off_alone(tmp_path: Path) -> None:
    """Its API never answers, and the server would wait longer than the manifest has it wait."""
    made = three_pages(tmp_path, stop={"timeout_ms": 200})
    silent: dict[str, Any] = {"health": None, "readiness": {"type": "dependencies_ready"}}
    made.script("bin/mute", "import time; time.sleep(600)")
    made.service("mute", "bin/mute", ports=["api"], **silent)
    page(made, "docs", deps=["mute"], stop={"timeout_ms": 200}).write()
    with starting(made, command=(sys.executable, "-c", NEVER_IMPATIENT)) as run:
        run.await_listening()
        run.until_ready()
        process = process_of(run)
        address = ("127.0.0.1", run.ports("mute")["api"])
        with socket.create_server(address), contextlib.closing(connect(run, "docs")) as asking:
            asking.request("GET", "/api/never")
            assert run.post("/services/docs/stop?wait=20").json()["state"] == "stopped"
            with pytest.raises((http.client.HTTPException, OSError)):
                asking.getresponse()
        assert_served(run, "admin", "ui")
        assert lives(process)
        assert run.service("ui")["pid"] == process.pid


def test_each_page_has_its_own_api_and_hears_where_it_is(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for api in ("first", "second"):
        made.service(api, ports=["api"])
    page(made, "docs", deps=["first"])
    page(made, "ui", deps=["second"])
    with running(page(made, "admin").write()) as run:
        run.until_ready()
        process_of(run)
        assert api_of(run, "docs") == "first"
        run.post("/services/first/stop?wait=20")
        wait_until(lambda: run.service("first")["state"] == "stopped", what="the API is gone")
        run.post("/services/docs/start?wait=20")
        assert [api_of(run, page) for page in ("docs", "ui")] == ["first", "second"]
        assert ask(run, "admin", "/api/x")[0] == 404


def api_of(run: Run, page: str) -> str:
    """Return which service answers in the place of a page's API, once the page knows one."""
    wait_until(lambda: ask(run, page, "/api/x")[0] != 502, what=f"the API of {page}")
    return str(json.loads(ask(run, page, "/api/x")[1])["service"])


def test_a_page_that_cannot_be_served_fails_alone(tmp_path: Path) -> None:
    made = page(three_pages(tmp_path), "docs", metadata={"content_security_policy": 5})
    with running(made.write()) as run:
        details = run.ready()["details"]
        assert details["docs"]["state"] == "failed"
        assert "content_security_policy" in details["docs"]["message"]
        for other in ("admin", "ui"):
            run.until_service_ready(other)
        assert_served(run, "admin", "ui")
        assert run.service("admin")["pid"] == run.service("ui")["pid"]


def test_a_killed_runtime_leaves_neither_pages_nor_their_process(run: Run) -> None:
    process = process_of(run)
    run.kill()
    run.wait_gone()
    wait_until(lambda: not lives(process), what="the end of the process")
    wait_until(lambda: not run.leftovers(), what="nothing is left")
    died = [event for event in run.telemetry() if event["event"] == "runtime_died"]
    (counts,) = [event["details"] for event in died]
    # The process may have ended by itself, without a runtime, before the guardian looked for each.
    assert counts["found"] == counts["stopped"] <= len(PAGES)
    assert (counts["killed"], counts["left"]) == (0, 0)
    for service_id in PAGES:
        assert "Traceback" not in run.log(service_id)


@pytest.mark.skipif(sys.platform == "win32", reason="nothing stands still there")
def test_a_process_that_stands_still_is_ended_by_the_guardian(tmp_path: Path) -> None:
    with running(three_pages(tmp_path, stop={"timeout_ms": 300}).write()) as run:
        run.until_ready()
        process = process_of(run)
        process.suspend()
        run.kill()
        run.wait_gone()
        wait_until(lambda: not lives(process), what="the end of the process")


@pytest.mark.skipif(sys.platform == "win32", reason="nothing stands still there")
def test_a_process_that_outlived_runtime_and_guardians_is_ended_by_the_next_start(
    tmp_path: Path,
) -> None:
    made = three_pages(tmp_path).write()
    with running(made) as run:
        run.until_ready()
        process = process_of(run)
        guardian = guardian_of(run)
        everybody = [process, psutil.Process(run.pid), guardian, *guardian.children()]
        for one in everybody:
            one.suspend()
        for one in everybody[1:]:
            one.kill()
        run.wait_gone()
        with running(made) as second:
            second.until_ready()
            assert not lives(process)
            assert_served(second, *PAGES)


def test_an_orderly_end_leaves_nothing_and_takes_no_force(run: Run) -> None:
    process = process_of(run)
    assert run.post("/shutdown").status in (200, 202)
    assert run.wait_gone() == 0
    assert not lives(process)
    killed = [event for event in run.telemetry() if "kill" in event["event"]]
    assert not killed
