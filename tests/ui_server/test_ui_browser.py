"""A page in a real browser: headless Chromium, driven through chromedriver."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import BLANK, fresh_tab, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]

SITE = os.path.join(os.path.dirname(__file__), "site")


class Page:
    """A tab of the browser."""

    def __init__(self, driver: Any, until: Any) -> None:
        self.driver = driver
        self._until = until

    def text(self, element: str) -> str:
        found: str = self.driver.execute_script(
            "return document.getElementById(arguments[0])?.textContent ?? ''", element
        )
        return found

    def shows(self, element: str, text: str) -> None:
        self._until(lambda: text in self.text(element), f"#{element} shows {text!r}")

    def run(self, script: str) -> Any:
        """Run the body of an async function in the page."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {script} }})().then(done, (error) => done('error: ' + error))"
        )
        return self.driver.execute_async_script(wrapped)


@pytest.fixture(scope="module")
def driver(browser: Any) -> Iterator[Any]:
    with fresh_tab(browser):
        yield browser


@pytest.fixture
def page(driver: Any, until: Any) -> Iterator[Page]:
    yield Page(driver, until)
    driver.get(BLANK)
    driver.get_log("browser")


@pytest.fixture
def ui(serving: Any, api: Any) -> Any:
    return serving(SITE, upstream=api.port)


@pytest.fixture
def own_ui(serving: Any, own_api: Any) -> Any:
    """Before an API that is killed."""
    return serving(SITE, upstream=own_api.port)


def address(ui: Any, path: str = "/") -> str:
    return f"http://127.0.0.1:{ui.port}{path}"


def test_the_page_loads_with_its_modules_styles_and_wasm(page: Page, ui: Any) -> None:
    page.driver.get(address(ui))
    assert page.driver.title == "Fixture"
    page.shows("route", "home")
    page.shows("wasm", "ready")
    color = "return getComputedStyle(document.getElementById('route')).color"
    assert page.driver.execute_script(color) == "rgb(1, 2, 3)"
    errors = [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


def test_a_client_side_route_survives_a_reload(page: Page, ui: Any) -> None:
    page.driver.get(address(ui))
    page.shows("route", "home")
    page.driver.execute_script("document.getElementById('to-notes').click()")
    page.shows("route", "route /notes/7")
    page.driver.refresh()
    page.shows("route", "route /notes/7")
    assert page.driver.current_url == address(ui, "/notes/7")
    page.driver.back()
    page.shows("route", "home")


def test_a_reload_asks_for_the_page_again_but_not_for_hashed_files(page: Page, ui: Any) -> None:
    page.driver.get(address(ui))
    page.shows("route", "home")
    page.driver.get(address(ui, "/other"))
    page.shows("route", "route /other")
    transferred = page.driver.execute_script(
        "return Object.fromEntries(performance.getEntriesByType('resource')"
        ".map((entry) => [new URL(entry.name).pathname, entry.transferSize]))"
    )
    assert transferred["/assets/page.1a2b3c4d.js"] == 0, "from the browser's cache, unasked"
    assert transferred["/assets/route.mjs"] > 0, "asked, and not modified"


def test_the_page_reaches_the_api_and_a_websocket(page: Page, ui: Any) -> None:
    page.driver.get(address(ui))
    page.shows("api", "/api/notes")
    page.shows("socket", "hello over notes")


def test_uploads_downloads_and_events_stream_through(page: Page, ui: Any) -> None:
    page.driver.get(address(ui))
    sent = "const sent = await fetch('/api/digest', {method: 'POST', body: new Uint8Array(5e6)});"
    assert page.run(sent + "return (await sent.json()).size") == 5_000_000
    got = "const got = await (await fetch('/api/download?mib=5')).arrayBuffer();"
    assert page.run(got + "return got.byteLength") == 5 * 1024 * 1024
    events = """
        const source = new EventSource('/api/events');
        await new Promise((opened) => { source.onopen = opened; });
        const next = new Promise((arrived) => { source.onmessage = (e) => arrived(e.data); });
        await fetch('/api/tick?text=ding');
        const text = await next;
        source.close();
        return text;
    """
    assert page.run(events) == "ding"


def test_a_video_may_be_sought_by_ranges(page: Page, ui: Any) -> None:
    page.driver.get(address(ui))
    part = "const part = await fetch('/assets/page.css', {headers: {Range: 'bytes=0-3'}});"
    assert page.run(part + "return [part.status, await part.text()]") == [206, "main"]


def test_the_page_sees_the_api_go_and_come_back(page: Page, own_ui: Any, own_api: Any) -> None:
    page.driver.get(address(own_ui))
    page.shows("api", "/api/notes")
    page.shows("socket", "hello over notes")
    before = own_api.port
    own_api.kill()
    own_ui.process.set_upstream(None)
    page.shows("api", "down 502")
    page.shows("socket", "closed 1006")
    assert own_api.start() != before
    own_ui.process.set_upstream(own_api.port)
    page.shows("api", "/api/notes")
    page.shows("socket", "hello over notes")


def test_a_navigation_to_a_dead_api_shows_a_page_that_tries_again(
    page: Page, own_ui: Any, own_api: Any, until: Any
) -> None:
    def shown() -> str:
        found: str = page.driver.execute_script("return document.body?.innerText ?? ''")
        return found

    own_api.kill()
    page.driver.get(address(own_ui, "/api/report"))
    until(lambda: "API is not running" in shown(), "the page, which is loaded anew each second")
    own_api.start(own_api.port)
    until(lambda: "/api/report" in shown(), "the API's answer is shown without a click")


def test_the_page_is_told_that_the_server_goes(page: Page, ui: Any, until: Any) -> None:
    """It tries again at once, and then shows that nobody answers: what it has shown is kept."""
    page.driver.get(address(ui))
    page.shows("socket", "hello over notes")
    page.run("""
        const shown = window.shown = [], socket = document.getElementById('socket');
        const keep = () => shown.push(socket.textContent);
        const what = {childList: true, characterData: true, subtree: true};
        new MutationObserver(keep).observe(socket, what);
    """)
    os.kill(ui.process.pid, signal.SIGTERM)
    first = until(lambda: page.driver.execute_script("return window.shown[0]"), "another word")
    assert "closed 1001" in first


def test_a_content_security_policy_is_obeyed(page: Page, serving: Any, api: Any) -> None:
    open_ui = serving(SITE, upstream=api.port)
    page.driver.get(address(open_ui))
    page.shows("inline", "ran")
    strict = serving(
        SITE, upstream=api.port, content_security_policy="default-src 'self'; script-src 'self'"
    )
    page.driver.get(address(strict))
    page.shows("route", "home")
    assert page.text("inline") == "untouched"


def test_another_site_reaches_neither_api_nor_websocket(
    page: Page, ui: Any, serving: Any, api: Any, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_bytes(b"<title>elsewhere</title>")
    elsewhere = serving(tmp_path, proxied=False)
    page.driver.get(f"http://evil.localhost:{elsewhere.port}/")
    assert "foreign_host" in page.driver.page_source or "Host must be" in page.driver.page_source
    page.driver.get("data:text/html,<title>foreign</title>")
    socket = f"""
        const socket = new WebSocket('ws://127.0.0.1:{ui.port}/ws/echo');
        return await new Promise((end) => {{
            socket.onopen = () => end('connected');
            socket.onerror = () => end('refused');
        }});
    """
    assert page.run(socket) == "refused"
    asked = f"await fetch('http://127.0.0.1:{ui.port}/api/hang?as=foreign')"
    assert page.run(asked).startswith("error: TypeError")
    assert "foreign began" not in api.who_left()


def test_another_site_neither_frames_the_page_nor_asks_by_an_image(
    page: Page, ui: Any, serving: Any, api: Any, tmp_path: Path
) -> None:
    """localhost and 127.0.0.1 are two sites to a browser."""
    (tmp_path / "index.html").write_bytes(b"<title>elsewhere</title>")
    elsewhere = serving(tmp_path, proxied=False)
    page.driver.get(f"http://localhost:{elsewhere.port}/")
    image = f"""
        const image = new Image();
        return await new Promise((end) => {{
            image.onerror = () => end('over');
            image.src = 'http://127.0.0.1:{ui.port}/api/hang?as=image';
        }});
    """
    assert page.run(image) == "over"
    assert "image began" not in api.who_left()
    frame = f"""
        const frame = document.body.appendChild(document.createElement('iframe'));
        return await new Promise((end) => {{
            frame.onload = () => end(frame.contentWindow.length);
            frame.src = 'http://127.0.0.1:{ui.port}/';
            window.onmessage = (told) => end(told.data);
        }});
    """
    assert page.run(frame) == 0
    assert "frame-ancestors" in str(page.driver.get_log("browser"))
