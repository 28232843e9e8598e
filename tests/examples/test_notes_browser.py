"""The page of the notes example in a real browser, before the real runtime."""

from __future__ import annotations

import contextlib
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.browser import fresh_tab, needs_browser
from tests.bundle_maker import Bundle
from tests.examples.notes_running import Page, copied_notes, opened
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, needs_browser]

CONTROL_ENTER = "\ue009\ue007"  # WebDriver, 17.4.2: keyboard actions


class Tab:
    """What a person sees of the notes, and does with them."""

    def __init__(self, driver: Any, page: Page) -> None:
        self.driver = driver
        self.page = page

    def open(self, path: str) -> None:
        self.driver.get(self.page.address + path)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        found: str = self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('|')",
            selector,
        )
        return found

    def shows(self, selector: str, text: str) -> None:
        wait_until(
            lambda: text in self.text(selector), deadline=20, what=f"{selector} shows {text!r}"
        )

    def is_away(self) -> bool:
        shown: bool = self.find("#away").is_displayed()
        return shown

    def kill(self, service_id: str) -> None:
        psutil.Process(self.page.run.service(service_id)["pid"]).kill()

    def goes_on(self) -> None:
        """Wait until the page has its notes again; the error says what the services were doing."""
        try:
            wait_until(lambda: not self.is_away(), deadline=20, what="the page goes on by itself")
        except AssertionError as error:
            error.add_note(str(self.page.run.get("/readyz").json()["details"]))
            raise

    def listen(self) -> None:
        """Keep what the page says from now on: it takes it back after some seconds."""
        self.driver.execute_script(
            "window.heard = []; new MutationObserver(() => heard.push(said.textContent))"
            ".observe(said, {childList: true, characterData: true, subtree: true})"
        )

    def says(self, text: str) -> None:
        """Wait until the page has said so since it was opened, and forget what it has said."""
        heard = "return heard.some(one => one.includes(arguments[0]))"
        wait_until(lambda: self.driver.execute_script(heard, text), what=f"it says {text!r}")
        self.driver.execute_script("heard.length = 0")

    @contextlib.contextmanager
    def without(self, service_id: str) -> Iterator[None]:
        """Kill a service, and let it come back at the end only."""
        program = self.page.run.bundle.root / "bin" / service_id
        program.chmod(0o644)
        self.kill(service_id)
        try:
            yield
        finally:  # the tests after this one need it
            program.chmod(0o755)
            reply = self.page.run.post(f"/services/{service_id}/start?wait=30")
        assert reply.json()["done"], reply.json()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("notes")
    bundle = Bundle.existing(copied_notes(folder) / "bundle.json", folder)
    with opened(bundle) as page, fresh_tab(browser) as driver:
        yield Tab(driver, page)


@pytest.fixture
def tab(shown: Tab) -> Tab:
    shown.open("/")
    shown.driver.execute_script("sessionStorage.clear()")
    shown.open("/")
    shown.shows("h1", "Your notes")
    shown.listen()
    return shown


def test_a_note_is_written_by_keyboard_and_shown_as_text(tab: Tab) -> None:
    tab.find("#text").send_keys("<b>Grüße</b>", CONTROL_ENTER)
    tab.shows("#notes li p", "<b>Grüße</b>")
    tab.says("The note is saved.")
    assert tab.find("#text").get_property("value") == ""
    assert tab.page.notes()[0] == "<b>Grüße</b>"


def test_what_is_typed_while_a_note_is_saved_is_kept(tab: Tab) -> None:
    tab.driver.execute_script(
        "const plain = fetch; window.fetch = async (path, asked) => {"
        " if (asked?.method === 'POST') await new Promise((go) => (window.go = go));"
        " return plain(path, asked); };"
    )
    tab.find("#text").send_keys("the one", CONTROL_ENTER)
    wait_until(lambda: tab.driver.execute_script("return !!window.go"), what="it is being saved")
    tab.find("#text").send_keys(", and another")
    tab.driver.execute_script("go()")
    tab.says("The note is saved.")
    assert tab.page.notes()[0] == "the one"
    assert tab.find("#text").get_property("value") == "the one, and another"


def test_a_client_side_route_survives_a_reload(tab: Tab) -> None:
    tab.page.write("The loom and the cards")
    tab.find("nav a[href='/find']").click()
    wait_until(lambda: tab.page.notes("loom"), what="the index knows the note")
    tab.find("#query").send_keys("loo")
    tab.shows("#found li p", "The loom and the cards")
    tab.driver.refresh()
    tab.shows("#found li p", "The loom and the cards")
    assert tab.driver.title == "Find – Notes"
    assert tab.driver.current_url.endswith("/find?q=loo")


def test_the_websocket_echoes(tab: Tab) -> None:
    tab.open("/about")
    tab.shows("#echo", "ms")
    tab.shows("#count-notes", str(len(tab.page.notes())))


def test_a_deleted_note_is_gone_and_the_focus_is_not_lost(tab: Tab) -> None:
    for text in ("stays", "goes"):
        tab.page.write(text)
    tab.driver.refresh()
    tab.listen()
    tab.shows("#notes li p", "goes")
    tab.find("#notes li button").click()
    tab.says("The note is deleted.")
    assert tab.page.notes()[0] == "stays"
    assert "stays" in tab.driver.switch_to.active_element.get_attribute("aria-label")


@pytest.mark.skipif(os.name != "posix", reason="a program's permission to run is POSIX")
@pytest.mark.parametrize("service", ["api", "store"])
def test_the_page_says_that_the_notes_are_away_and_goes_on_by_itself(
    tab: Tab, service: str
) -> None:
    tab.shows("#notes-title", "Your notes")
    assert not tab.is_away()
    with tab.without(service):
        tab.find("#text").send_keys("kept meanwhile", CONTROL_ENTER)
        wait_until(tab.is_away, what="the page says that the notes are away")
        tab.says("Not saved yet")
        assert tab.find("#text").get_property("value") == "kept meanwhile"
    tab.goes_on()
    tab.find("#text").send_keys(CONTROL_ENTER)
    tab.says("The note is saved.")
    assert "kept meanwhile" in tab.page.notes()


def test_a_killed_api_is_back_without_a_reload(tab: Tab) -> None:
    restarts = tab.page.run.service("api")["restarts"]
    tab.kill("api")
    wait_until(
        lambda: tab.page.run.service("api")["restarts"] > restarts, what="a restart of the API"
    )
    wait_until(tab.page.is_answered, what="an answer of the restarted API")
    tab.goes_on()
    tab.find("#text").send_keys("after the crash", CONTROL_ENTER)
    tab.shows("#notes li p", "after the crash")


def test_a_draft_survives_a_reload_and_an_unknown_address_says_so(tab: Tab) -> None:
    tab.find("#text").send_keys("half a th")
    tab.driver.refresh()
    assert tab.find("#text").get_property("value") == "half a th"
    tab.open("/nowhere")
    tab.shows("h1", "Nothing here")


def test_the_page_has_a_policy_and_breaks_none_of_its_rules(tab: Tab) -> None:
    with urllib.request.urlopen(tab.page.address) as response:
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    for path, title in (("/", "Your notes"), ("/find?q=x", "Find"), ("/about", "About")):
        tab.open(path)
        tab.shows("section:not([hidden]) h1", title)
    said = [entry["message"] for entry in tab.driver.get_log("browser")]
    assert [message for message in said if "Content Security Policy" in message] == []
