"""The dashboard by keyboard alone, and as assistive technology finds it (axe-core's rules)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import needs_browser
from tests.bundle_maker import bundle, running
from tests.dashboard.tab import Tab, opened
from tests.electron.npm import needs_npm, tools
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, needs_browser]

TAB, ENTER, ESCAPE, SPACE = "\ue004", "\ue007", "\ue00c", "\ue00d"
VIEWS = ["services", "graph", "start", "logs", "events", "findings"]
REACHABLE = """
    return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
        .filter((one) => one.checkVisibility())
        .map((one) => one.id || one.getAttribute('aria-label') || one.textContent.trim())
"""
NOTE_THE_FOCUS = """
    window.reached = [];
    addEventListener('focusin', ({target: one}) => {
        const inside = one.querySelector('rect');
        const outlined = getComputedStyle(one).outlineStyle !== 'none'
            || (inside && getComputedStyle(inside).strokeWidth >= '3');
        const name = one.id || one.getAttribute('aria-label') || one.textContent.trim();
        reached.push([name, outlined]);
    });
    document.documentElement.tabIndex = -1;
    document.documentElement.focus();
    document.documentElement.removeAttribute('tabindex');
    reached.length = 0;
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""Of these, all that another scheme can change."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("keyboard")
    made = bundle(folder, "Notes").service("store").service("api", deps=["store"])
    made.service("flaky", "exits_at_once", ports=())
    made.file("unused", "")
    with running(made.write()) as run:
        wait_until(lambda: run.service("flaky")["state"] == "failed", what="it has given up")
        with opened(run, browser) as tab:
            yield tab


@pytest.fixture
def tab(shown: Tab) -> Tab:
    shown.driver.get(f"{shown.place}/ui/")
    shown.shows("#services-body", "api")
    return shown


def is_open(tab: Tab, dialog: str) -> bool:
    found: bool = tab.script("return document.getElementById(arguments[0]).open", dialog)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_everything_is_reached_by_tab_and_shows_that_it_has_the_focus(tab: Tab, view: str) -> None:
    tab.press(str(VIEWS.index(view) + 1))
    wait_until(lambda: tab.focus() == f"{view}-title", what="the focus goes with the view")
    wanted = tab.script(REACHABLE)
    tab.script(NOTE_THE_FOCUS)
    tab.press(TAB * (len(wanted) + 1))  # once more than there should be
    reached = tab.script("return reached")
    assert [name for name, outlined in reached if not outlined] == []
    assert sorted({name for name, _ in reached}) == sorted(set(wanted))


def test_a_service_is_stopped_and_started_by_keys(tab: Tab) -> None:
    tab.press("jj")
    assert tab.focus() == "api"
    tab.press("kx")
    assert (is_open(tab, "confirm"), tab.focus()) == (True, "confirm-no")
    tab.shows("#confirm-question", "Stop store?")
    tab.press(TAB)
    assert tab.focus() == "confirm-yes"
    tab.press(ENTER)
    tab.shows('tr[data-id="store"] .state', "stopped")
    assert tab.focus() == "store", "the focus is where it was"
    tab.press("j")
    assert tab.focus() == "api"
    tab.press("s")
    tab.shows('tr[data-id="api"] .state', "ready")
    tab.shows('tr[data-id="store"] .state', "ready")
    before = tab.run.service("api")["pid"]
    tab.press("r")
    wait_until(lambda: tab.run.service("api").get("pid") not in (None, before), what="another pid")
    tab.shows('tr[data-id="api"] .state', "ready")


def test_keys_of_one_letter_rest_while_somebody_types_and_can_be_turned_off(tab: Tab) -> None:
    tab.press("/")
    wait_until(lambda: tab.focus() == "log-search", what="the search has the focus")
    tab.press("1x?s")
    assert tab.find("#log-search").get_property("value") == "1x?s"
    assert tab.script("return location.hash") == "#logs"
    tab.press(ESCAPE)
    tab.script("document.activeElement.blur()")
    tab.press("?")
    assert is_open(tab, "help")
    tab.shows("#shortcuts", "restart it")
    tab.script("document.getElementById('shortcuts-on').focus()")
    tab.press(SPACE)
    tab.press(ESCAPE)
    assert not is_open(tab, "help")
    tab.press("1")
    assert tab.script("return location.hash") == "#logs"
    tab.click("#to-help")
    tab.click("#shortcuts-on")
    tab.click("#help-close")
    tab.press("1")
    wait_until(lambda: tab.script("return location.hash") == "#services", what="they are back")


def test_a_box_of_the_graph_leads_to_its_service(tab: Tab) -> None:
    tab.press("2")
    tab.shows("#graph-picture", "api")
    while not tab.focus().startswith("api "):
        tab.press(TAB)
    tab.press(ENTER)
    wait_until(lambda: tab.focus() == "api", what="the row has the focus")
    assert tab.script("return document.activeElement.closest('tr') !== null")
    tab.press(ENTER)
    wait_until(lambda: tab.script("return location.hash") == "#logs/api", what="its log")
    wait_until(lambda: tab.find("#log-service").get_property("value") == "api", what="only its")


@needs_npm
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", OF_COLOURS)])
def test_axe_finds_nothing(tab: Tab, scheme: str, rules: list[str]) -> None:
    source = (tools() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    tab.script(source)
    tab.press("3")
    tab.click("#start summary")
    for place, keys in (
        *((view, str(at + 1)) for at, view in enumerate(VIEWS)),
        ("help", "?"),
        ("services", ESCAPE + "1"),
        ("confirm", "jx"),
    ):
        tab.press(keys)
        wait_until(tab.find(f"#{place}").is_displayed, what=place)
        assert (place, violations(tab, rules)) == (place, [])


def test_axe_finds_what_is_wrong(tab: Tab) -> None:
    """So the test above can fail."""
    tab.script((tools() / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    tab.script("document.querySelector('#log-search').closest('label').replaceWith('')")
    tab.script("document.querySelector('#theme').textContent = ''")
    assert [found[0] for found in violations(tab)] == ["button-name"]
    tab.script("document.querySelector('h1').style.color = 'rgb(128, 128, 128)'")
    assert [found[0] for found in violations(tab, OF_COLOURS)] == ["color-contrast"]


def violations(tab: Tab, rules: list[str] = RULES) -> list[Any]:
    """Return what breaks a rule; nothing is made of what is well, and no selectors."""
    options = f"{{runOnly: {rules}, resultTypes: ['violations'], selectors: false}}"
    found: list[Any] = tab.wait_script(
        f"const report = await axe.run(document, {options});"
        "return report.violations.map((one) => [one.id, one.nodes.map((node) => node.html)])"
    )
    return found
