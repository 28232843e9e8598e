"""What a page's server, and a guardian that asks over HTTP, do without the installed files.

Also where nobody may write beside these, so that there is no file of bytecode with all of them.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.bundle_maker import bundle, starting, wait_until
from tests.installed import install, linked
from tests.runtime.test_installation_removed import BY_REQUEST, remove, replace, settle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for the guardian in /proc")


def write_nothing_beside(farm: Path) -> None:
    """Have no bytecode written where the code of a start is kept."""
    folder = farm / "control" / "boot" / "__pycache__"
    shutil.rmtree(folder, ignore_errors=True)
    folder.touch()


@pytest.mark.parametrize("beside", [True, False])
def test_the_guardian_asks_by_request_and_tells_of_the_death(tmp_path: Path, beside: bool) -> None:
    installation = install(tmp_path / "installation", linked(tmp_path / "farm"))
    if not beside:
        write_nothing_beside(tmp_path / "farm")
    made = bundle(tmp_path / "made").service("db")
    made.service("asked", "http_stop", deps=["db"], stop=BY_REQUEST).write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        remove(installation)
        run.kill()
        wait_until(lambda: not run.leftovers(), what="the guardian's end")
        details = run.telemetry()[-1]["details"]
        assert run.telemetry()[-1]["event"] == "runtime_died"
        assert (details["found"], details["stopped"], "error" in details) == (2, 2, False)
        assert not run.events("asked", "signal")


def test_a_page_that_is_served_is_served_on(tmp_path: Path) -> None:
    installation = install(tmp_path / "installation", linked(tmp_path / "farm"))
    made = (
        bundle(tmp_path / "made")
        .service("api", ports=["api"])
        .file("dist/index.html", "<!doctype html>")
    )
    made.file("dist/\u00e4.txt", "umlaut")
    made.service("ui", type="ui-bundle", binaries={"universal": {"path": "dist"}}).write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        before, at = run.service("ui")["pid"], f"http://127.0.0.1:{run.ports('ui')['http']}"
        remove(installation)
        html = {"Accept": "text/html"}
        assert answered(f"{at}/missing.js", html) == (404, True)
        assert answered(f"{at}/%C3%A4.txt", {}) == (200, False)
        assert answered(at, {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}) == (200, True)
        run.post("/services/api/stop?wait=20")
        assert answered(f"{at}/api/x", html) == (502, True)
        assert run.service("ui")["pid"] == before


def answered(url: str, headers: dict[str, str]) -> tuple[int, bool]:
    """Return the status, and whether the answer is a page."""
    try:
        with urlopen(Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().startswith(b"<!doctype html>")
    except HTTPError as error:
        with error:
            return error.code, error.read().startswith(b"<!doctype html>")


@pytest.mark.parametrize("update", [remove, replace])
def test_a_page_that_was_never_served_says_why_too(
    tmp_path: Path, update: Callable[[Path], None]
) -> None:
    installation = install(tmp_path / "installation", linked(tmp_path / "farm"))
    write_nothing_beside(tmp_path / "farm")
    made = bundle(tmp_path / "made").service("db").file("dist/index.html", "<!doctype html>")
    once: dict[str, Any] = {"metadata": {"run_mode": "on_demand"}, "restart": {"policy": "never"}}
    made.service("ui", type="ui-bundle", binaries={"universal": {"path": "dist"}}, **once).write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        update(installation)
        answer = run.post("/services/ui/start?wait=20").json()
        assert answer["state"] == "failed"
        assert "start the application again" in answer["message"]
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
