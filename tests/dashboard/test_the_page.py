"""The dashboard in headless Chromium, before a real runtime, got into by the installed command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.control.wire.lanes import THREADS, Lane
from tests.browser import needs_browser
from tests.bundle_maker import bundle, running
from tests.control.wire import Api
from tests.dashboard.tab import Tab, opened
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("dashboard")
    made = (
        bundle(folder, "Notes", "1.1.0")
        .service("store")
        .service("api", deps=["store"])
        .service("web", deps=["api"])
        .service("lone", "logs_ready_line", options={"line": "the needle is ready"})
        .write()
    )
    with running(made) as run:
        run.until_ready()
        with opened(run, browser) as tab:
            yield tab


@pytest.fixture
def tab(shown: Tab) -> Iterator[Tab]:
    shown.driver.get(f"{shown.place}/ui/")
    shown.shows("#services-body", "web")
    yield shown
    assert shown.complaints() == []


def row(tab: Tab, service: str) -> str:
    return tab.text(f'tr[data-id="{service}"]').replace("\n", " ").replace("\t", " ")


def test_services_are_shown_with_what_they_use(tab: Tab) -> None:
    tab.shows("#app", "Notes 1.1.0")
    tab.shows("#health", "ready: 4 of 4")
    port = tab.run.ports("store")["http"]
    wait_until(lambda: f"http {port}" in row(tab, "store"), what="the port")
    assert " ready" in row(tab, "store")
    assert " MB" in row(tab, "store")


def test_a_service_that_dies_is_shown_to_come_back(tab: Tab) -> None:
    before = int(tab.text('tr[data-id="lone"] .restarts'))
    psutil.Process(tab.run.service("lone")["pid"]).kill()
    tab.shows('tr[data-id="lone"] .restarts', str(before + 1))
    tab.shows('tr[data-id="lone"] .state', "ready")


def test_buttons_stop_start_and_restart(tab: Tab) -> None:
    tab.click('button[aria-label="Stop api"]')
    tab.shows("#confirm-detail", "What needs it stops first: web.")
    tab.click("#confirm-yes")
    tab.shows('tr[data-id="api"] .state', "stopped")
    tab.shows("#said", "api: stop was asked for, with web.")
    assert tab.run.service("web")["state"] != "ready"
    tab.click('button[aria-label="Start api"]')
    tab.shows('tr[data-id="web"] .state', "ready")
    before = tab.run.service("lone")["pid"]
    tab.click('button[aria-label="Restart lone"]')
    wait_until(lambda: tab.run.service("lone").get("pid") not in (None, before), what="another pid")
    tab.run.until_service_ready("lone")  # the page may still show the state of before
    tab.shows('tr[data-id="lone"] .state', "ready")


def test_a_question_that_is_declined_stops_nothing(tab: Tab) -> None:
    tab.click('button[aria-label="Stop store"]')
    tab.press("\ue00c")  # Escape
    wait_until(lambda: not tab.script("return document.querySelector('dialog[open]')"))
    assert tab.run.service("store")["state"] == "ready"
    assert tab.focus() == "Stop store", "the focus is where it was"


def test_a_refusal_is_told_in_the_runtimes_words(tab: Tab) -> None:
    said = tab.wait_script(
        "const { command } = await import('/ui/api.js');"
        "return await command('nobody', 'stop').catch((error) => error.message)"
    )
    assert said.startswith("there is no service 'nobody' in this bundle")
    assert "404" in str(tab.complaints()), "the browser tells of it, too"


def test_the_graph_shows_who_needs_whom(tab: Tab) -> None:
    tab.click("#to-graph")
    tab.shows("#graph-picture", "store")
    labels = tab.script(
        "return [...document.querySelectorAll('#graph-picture a')]"
        ".map((one) => one.getAttribute('aria-label').split('.')[0])"
    )
    assert sorted(labels) == [
        "api ready, needs store",
        "lone ready",
        "store ready",
        "web ready, needs api",
    ]
    assert tab.script("return document.querySelectorAll('#graph-picture path.edge').length") == 2


def test_the_start_is_drawn_and_told(tab: Tab) -> None:
    tab.click("#to-start")
    tab.shows("#start-summary", "ready after")
    titles = "[...document.querySelectorAll('#start-picture rect.piece title')]"
    drawn = tab.script(f"return {titles}.map((title) => title.textContent.split(',')[0])")
    assert set(drawn) == {"store", "api", "web", "lone"}
    tab.click("#start summary")
    tab.shows("#start-table", "store")


def test_logs_are_live_and_searched(tab: Tab) -> None:
    tab.click("#to-logs")
    tab.shows("#log", "the needle is ready")
    count = "return document.querySelectorAll('#log .line').length"
    tab.find("#log-search").send_keys("NEEDLE")
    wait_until(lambda: "needle" in tab.text("#log mark"), what="the match is marked")
    assert "needle" in tab.text("#log .line:last-child")
    before = tab.script(count)
    tab.run.post("/services/lone/restart?wait=20")
    wait_until(lambda: tab.script(count) > before, what="a new line that matches")
    tab.script("location.hash = 'logs/store'")
    tab.shows("#log-count", "0 lines of")


def test_lines_from_before_come_when_a_stream_is_free(tab: Tab) -> None:
    others = Api(tab.run.port, tab.run.token)

    def one_more() -> bool:
        return others.open("/logs/follow?serviceId=store").status == 200

    for _ in range(THREADS[Lane.STREAM]):
        wait_until(one_more, what="a stream, once those of the page before are free again")
    tab.click("#to-logs")
    tab.shows("#log-count", "there are 8 streams already")
    for one in others.opened:
        one.close()
    tab.shows("#log", "the needle is ready")
    assert all("429" in said for said in tab.complaints())


def is_of_this_run(tab: Tab, shown: str) -> bool:
    """Whether a time of day is one of the run of ``lone`` that goes on."""
    started = datetime.fromisoformat(tab.run.service("lone")["started_at"]).astimezone()
    of_day = time.fromisoformat(shown.rpartition(" ")[2])  # behind the date at midnight
    since = datetime.combine(started, of_day, started.tzinfo) - started
    return since % timedelta(days=1) < timedelta(hours=12)


def test_the_run_before_the_last_restart_is_shown(tab: Tab) -> None:
    tab.script("location.hash = 'logs/lone'")
    tab.shows("#log", "the needle is ready")

    def last() -> str:
        return tab.text("#log time").split("|")[-1]

    wait_until(lambda: is_of_this_run(tab, last()), what="this run's lines, after earlier ones")
    before = last()
    tab.run.post("/services/lone/restart?wait=20")
    wait_until(lambda: is_of_this_run(tab, last()), what="the next run's lines")
    tab.click("#log-previous")

    def alone() -> bool:
        times = tab.text("#log time").split("|")
        return before in times and not any(is_of_this_run(tab, one) for one in times)

    wait_until(alone, what="the lines of the run before, and no others")


def test_a_tab_in_the_background_asks_nothing(tab: Tab) -> None:
    asked = (
        "return performance.getEntriesByType('resource').filter((one) => one.startTime > window.at)"
        ".map((one) => new URL(one.name).pathname)"
    )
    hide = (
        "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange')); window.at = performance.now()"
    )
    tab.click("#to-logs")
    tab.shows("#log", "ready")
    tab.script(hide, True)
    tab.run.post("/services/lone/restart?wait=20")
    tab.wait_script("await (await fetch('/ui/key.js')).text()")
    wait_until(lambda: tab.script(asked), what="the question of this test")
    assert tab.script(asked) == ["/ui/key.js"]
    tab.script(hide, False)
    wait_until(lambda: "/status" in tab.script(asked), what="it asks again")
    tab.run.post("/services/lone/restart?wait=20")  # the question for events has its answer
    wait_until(lambda: {"/status", "/events"} <= set(tab.script(asked)), what="it asks again")


def test_events_come_and_are_searched(tab: Tab) -> None:
    tab.click("#to-events")
    tab.shows("#events-body", "service_ready")
    tab.find("#event-search").send_keys("api_request")
    wait_until(lambda: "service_ready" not in tab.text("#events-body"), what="only those")
    before = tab.text("#event-count")
    tab.run.post("/services/lone/restart?wait=20")
    wait_until(lambda: tab.text("#event-count") != before, what="the new one")


def test_findings_are_what_validate_finds(tab: Tab) -> None:
    tab.click("#to-findings")
    tab.shows("#findings-said", "Nothing is wrong with the bundle.")
    program = tab.run.bundle.root / "bin" / "web"
    program.rename(program.with_name("away"))
    try:
        tab.click("#findings-again")
        tab.shows("#findings-body", "web")
        tab.shows("#findings-number", "(1)")
    finally:
        program.with_name("away").rename(program)


def test_the_theme_follows_the_system_until_it_is_chosen(tab: Tab) -> None:
    def ground() -> Any:
        return tab.script("return getComputedStyle(document.body).backgroundColor")

    light, dark = "rgb(255, 255, 255)", "rgb(20, 23, 28)"
    for scheme, shown in (("dark", dark), ("light", light)):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        assert ground() == shown
    tab.click("#theme")
    assert (tab.find("#theme").text, ground()) == ("Theme: dark", dark)
    tab.driver.refresh()
    assert ground() == dark
    tab.click("#theme")
    assert ground() == light
    tab.click("#theme")
    assert tab.find("#theme").text == "Theme: system"


def test_a_bar_says_how_far_the_start_is(
    tmp_path_factory: pytest.TempPathFactory, browser: Any
) -> None:
    folder = tmp_path_factory.mktemp("starting")
    made = bundle(folder).service("early").service("late", "listens_late", deps=["early"])
    made.service("never", ports=(), secrets=["given"])
    secret = {"id": "given", "class": "user_prompt", "target": {"type": "env", "name": "GIVEN"}}
    made.set(secrets=[secret])
    with running(made.write()) as run, opened(run, browser, until="waiting") as tab:
        tab.shows('tr[data-id="late"] .state', "ready")
        tab.shows("#progress-text", "2 of 3 ready")
        tab.shows("#progress-text", "never: ")
        tab.shows('tr[data-id="never"] .why', "given")
        run.post("/secrets", {"secrets": {"given": "value"}})
        tab.shows("#health", "ready: 3 of 3")
        assert not tab.find("#progress").is_displayed()


def test_the_buttons_of_services_with_the_longest_names_are_on_the_page(
    tmp_path: Path, browser: Any
) -> None:
    made = bundle(tmp_path).service("a-name-of-many-words-" * 6 + "xy", ports=()).service("db")
    hidden = (
        "const cells = [...document.querySelectorAll('td.actions')];"
        "return [cells.length, cells.filter("
        "(e) => e.getBoundingClientRect().right > document.documentElement.clientWidth).length]"
    )
    with running(made.write()) as run, opened(run, browser) as tab:
        assert tab.script(hidden) == [2, 0]


def test_a_narrow_page_of_logs_is_not_as_wide_as_the_longest_name(
    tmp_path: Path, browser: Any
) -> None:
    name = "a-name-of-many-words-" * 6
    made = bundle(tmp_path).service(f"{name}xy", ports=())
    narrow = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    with running(made.write()) as run, opened(run, browser) as tab:
        tab.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
        tab.press("4")
        tab.shows("#log-service", name)
        page = tab.script(
            "const { scrollWidth, clientWidth } = document.querySelector('main');"
            "return { scrollWidth, clientWidth }"
        )
        tab.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        assert page["scrollWidth"] == page["clientWidth"]
