"""Pages of other ports and names in the same browser, which has come in: what can they do?

127.0.0.1 is one site with all its ports: SameSite=Strict keeps the cookie from none of them.
"""

from __future__ import annotations

import http.server
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import needs_browser
from tests.bundle_maker import bundle, running
from tests.dashboard.tab import Tab, address, opened
from tests.live_runtime import Run
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, needs_browser]


class Elsewhere(http.server.ThreadingHTTPServer):
    """Another program of this machine that serves pages; it keeps the cookies that it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.port = self.server_address[1]
        self.cookies: list[str] = []
        self.referers: list[str] = []
        self.asked: list[str] = []


class Page(http.server.BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.cookies.append(self.headers.get("Cookie", ""))
        self.server.referers.append(self.headers.get("Referer", ""))
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body></body>")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("other")
    with running(bundle(folder).service("store").write()) as run:
        run.until_ready()
        with opened(run, browser) as tab:
            yield tab


@pytest.fixture
def tab(shown: Tab) -> Iterator[Tab]:
    shown.be_in()
    yield shown
    shown.complaints()


def incarnations(run: Run) -> int:
    return len(run.events("store", "started"))


def test_another_port_stops_nothing_and_reads_nothing(tab: Tab, elsewhere: Elsewhere) -> None:
    before = incarnations(tab.run)
    tab.driver.get(f"http://127.0.0.1:{elsewhere.port}/")
    for options in (
        "{method: 'POST', mode: 'no-cors', credentials: 'include'}",
        "{method: 'POST', credentials: 'include'}",
        "{method: 'POST', credentials: 'include', headers: {'Bundlevisor-Key': 'x'}}",
    ):
        for action in ("stop", "restart"):
            command = f"{tab.place}/services/store/{action}"
            tab.wait_script(f"return String(await fetch('{command}', {options}))")
    form = f"""
        const frame = document.createElement('iframe');
        frame.name = 'into';
        document.body.append(frame);
        const form = document.body.appendChild(document.createElement('form'));
        Object.assign(form, {{target: 'into', method: 'POST'}});
        form.action = '{tab.place}/services/store/stop';
        const over = new Promise((end) => {{ frame.onload = end; }});
        form.submit();
        await over;
    """
    tab.wait_script(form)
    read = f"return await (await fetch('{tab.place}/status', {{credentials: 'include'}})).text()"
    assert tab.wait_script(read).startswith("error: TypeError")
    assert tab.run.service("store")["state"] == "ready"
    assert incarnations(tab.run) == before


def test_the_cookie_that_another_port_is_sent_opens_nothing(tab: Tab, elsewhere: Elsewhere) -> None:
    tab.driver.get(f"http://127.0.0.1:{elsewhere.port}/")
    stolen = elsewhere.cookies[0]
    assert stolen.startswith(f"bundlevisor_{tab.run.port}="), "browsers do send it"
    for path in ("/status", "/logs/lines", "/secrets", "/readyz"):
        assert tab.run.get(path, token=None, headers={"Cookie": stolen}).status == 401
    forged = {"Cookie": stolen, "Origin": tab.place, "Sec-Fetch-Site": "same-origin"}
    reply = tab.run.post("/services/store/stop", token=None, headers=forged)
    assert reply.status == 401
    tab.driver.get(f"{tab.place}/ui/")
    tab.shows("#services-body", "ready")


def test_another_port_neither_frames_nor_runs_nor_holds_the_page(
    tab: Tab, elsewhere: Elsewhere
) -> None:
    tab.driver.get(f"http://127.0.0.1:{elsewhere.port}/")
    framed = f"""
        const frame = document.body.appendChild(document.createElement('iframe'));
        const over = new Promise((end) => {{ frame.onload = end; }});
        frame.src = '{tab.place}/ui/';
        await over;
        return frame.contentDocument === null ? frame.contentWindow.length : 'readable';
    """
    assert tab.wait_script(framed) == 0
    script = f"""
        const made = document.createElement('script');
        const over = new Promise((end) => {{
            made.onload = () => end('ran');
            made.onerror = () => end('refused');
        }});
        made.src = '{tab.place}/ui/theme.js';
        document.head.append(made);
        return await over;
    """
    assert tab.wait_script(script) == "refused"
    first = tab.driver.current_window_handle
    tab.script("window.opened = window.open(arguments[0])", f"{tab.place}/ui/")
    wait_until(lambda: len(tab.driver.window_handles) == 2, what="the page opens in a tab")
    wait_until(lambda: tab.script("return window.opened.closed"), what="its opener loses it")
    for handle in tab.driver.window_handles:
        if handle != first:
            tab.driver.switch_to.window(handle)
            tab.driver.close()
    tab.driver.switch_to.window(first)


def test_a_name_that_leads_here_is_refused(tab: Tab) -> None:
    tab.driver.get(f"http://evil.localhost:{tab.run.port}/ui/")
    assert "forbidden_host" in tab.driver.page_source


def test_a_link_of_another_site_leads_to_the_page(tab: Tab, elsewhere: Elsewhere) -> None:
    """The cookie is not sent along from there; the entrance asks again from the own origin."""
    tab.driver.get(f"http://localhost:{elsewhere.port}/")
    tab.script("location.href = arguments[0]", f"{tab.place}/ui/")
    wait_until(lambda: tab.driver.current_url == f"{tab.place}/ui/", what="the page opens")
    tab.shows("#services-body", "ready")


def test_the_code_stays_nowhere(tab: Tab, elsewhere: Elsewhere) -> None:
    tab.driver.get(f"http://127.0.0.1:{elsewhere.port}/")
    entered = address(tab.run)
    code = entered.partition("#")[2]
    tab.driver.get(entered)
    wait_until(lambda: tab.driver.current_url == f"{tab.place}/ui/", what="the page opens")
    assert tab.script("return document.referrer") == ""
    kept = "return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert code not in tab.script(kept)
    assert "bundlevisor_" not in tab.script("return document.cookie"), "HttpOnly"
    tab.driver.back()
    assert code not in tab.driver.current_url
    tab.driver.get(f"{tab.place}/ui/")
    tab.script("location.href = arguments[0]", f"http://127.0.0.1:{elsewhere.port}/after")
    wait_until(lambda: "/after" in elsewhere.asked, what="the next page is asked for")
    assert not [referer for referer in elsewhere.referers if tab.place in referer]


def test_a_code_that_somebody_else_has_used_is_told_and_ends_what_he_began(tab: Tab) -> None:
    entered = address(tab.run)
    code = entered.partition("#")[2]
    thief = tab.run.post(
        "/ui/sessions", token=None, headers={"Bundlevisor-Code": code, "Origin": tab.place}
    )
    stolen = {
        "Cookie": thief.headers["Set-Cookie"].partition(";")[0],
        "Bundlevisor-Key": thief.json()["key"],
    }
    assert tab.run.get("/status", token=None, headers=stolen).status == 200
    tab.driver.get(entered)
    tab.shows("#said", "the code is unknown, used or older than a minute")
    assert code not in tab.driver.current_url
    assert tab.run.get("/status", token=None, headers=stolen).status == 401


def test_leaving_is_for_good(tab: Tab) -> None:
    tab.click("#leave")
    tab.shows("#said", "You are not in yet.")
    tab.driver.get(f"{tab.place}/ui/")
    tab.shows("#said", "You are not in yet.")


@pytest.fixture
def apart(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Tab]:
    """A page of a runtime that is this test's alone, and may be ended."""
    with running(bundle(tmp_path_factory.mktemp("apart")).service("store").write()) as run:
        run.until_ready()
        with opened(run, browser) as tab:
            yield tab


def test_a_runtime_that_ends_is_told(apart: Tab) -> None:
    apart.run.post("/shutdown")
    apart.shows("#gone", "The runtime does not answer")
    apart.shows("#health", "no answer")
    apart.shows("#services-body", "store")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP is a POSIX signal")
def test_a_runtime_that_stands_still_is_told_until_it_goes_on(apart: Tab) -> None:
    apart.shows("#health", "ready: 1 of 1")
    os.kill(apart.run.pid, signal.SIGSTOP)
    try:
        apart.shows("#health", "no answer")
    finally:
        os.kill(apart.run.pid, signal.SIGCONT)
    apart.shows("#health", "ready: 1 of 1")
