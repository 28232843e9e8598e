"""What services say is shown and never done: markup, escapes, floods, and what a script may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import needs_browser
from tests.bundle_maker import bundle, running
from tests.dashboard.tab import Tab, opened
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, needs_browser]

MARKUP = "</span><img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
ESCAPES = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m \u202eevil\u2028\x00end"
FLOOD = 30_000
EVIL = f"""
import sys, time
sys.stdout.write("x" * 200_000 + "\\nafter it\\n")
sys.stdout.write({MARKUP!r} + "\\n" + {ESCAPES!r} + "\\n")
sys.stdout.flush()
time.sleep(600)
"""
FLOODS = f"""
import time
for n in range({FLOOD}):
    print("flood", n)
print("flood is over", flush=True)
time.sleep(600)
"""
FAILS = f"""
import sys
sys.exit({MARKUP!r})
"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("hostile")
    made = bundle(folder, MARKUP, "1.0.0\u202e")
    for name, source in (("evil", EVIL), ("floods", FLOODS), ("fails", FAILS)):
        made.script(f"bin/{name}", source)
        restart = {"strategy": "transient", "max_restarts": 0} if name == "fails" else {}
        made.service(name, f"bin/{name}", ports=(), **({"restart": restart} if restart else {}))
    asset = {"path": f"{MARKUP.replace('/', '')}.bin", "sha256": "0" * 64}
    made.service("files", ports=(), assets=[asset])
    with running(made.write()) as run:
        wait_until(lambda: run.service("fails")["state"] == "failed", what="it has given up")
        with opened(run, browser, until="failed") as shown:
            yield shown


@pytest.fixture(autouse=True)
def nothing_is_done(tab: Tab) -> Iterator[None]:
    """Look for what markup would have become, wherever it is shown."""
    yield
    assert tab.script("return window.pwned") is None
    made = "return document.querySelectorAll('img, iframe, object, script:not([src])').length"
    assert tab.script(made) == 0
    asked = "return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
    assert set(tab.script(asked)) == {tab.place}


def go(tab: Tab, view: str) -> None:
    tab.script("location.hash = arguments[0]", view)


def test_the_name_of_the_application_is_text(tab: Tab) -> None:
    tab.shows("#app", f"{MARKUP} 1.0.0\\u202e")
    assert tab.driver.title == f"{MARKUP} 1.0.0\\u202e"


def test_why_a_service_failed_is_text(tab: Tab) -> None:
    go(tab, "services")
    tab.shows('tr[data-id="fails"] .why', "<img src=x onerror=window.pwned=1>")
    tab.click('tr[data-id="fails"] summary')
    tab.shows('tr[data-id="fails"] pre', "<script>window.pwned=1</script>")
    go(tab, "graph")
    tab.shows("#graph-picture", "failed")


def test_events_are_text(tab: Tab) -> None:
    tab.run.post("/services/evil/restart", headers={"User-Agent": MARKUP})
    go(tab, "events")
    tab.shows("#events-body", f"agent={MARKUP}")
    tab.shows("#events-body", "<script>window.pwned=1</script>")


def test_findings_are_text(tab: Tab) -> None:
    go(tab, "findings")
    tab.shows("#findings-body", "<img src=x onerror=window.pwned=1>")


def test_log_lines_are_text_and_steer_nothing(tab: Tab) -> None:
    go(tab, "logs/evil")
    tab.shows("#log", MARKUP)
    tab.shows("#log", r"^[]0;title^G^[[2Jred \u202eevil\u2028^@end")
    tab.find("#log-search").send_keys("<img")
    wait_until(lambda: "<img" in tab.text("#log mark").split("|"), what="it is found as text")
    tab.find("#log-search").clear()
    tab.find("#log-search").send_keys(" ", "\ue003")


def test_a_line_of_megabytes_is_cut(tab: Tab) -> None:
    go(tab, "logs/evil")
    tab.shows("#log", "after it")
    longest = (
        "return Math.max(...[...document.querySelectorAll('#log .said')]"
        ".map((one) => one.textContent.length))"
    )
    assert 8_000 < tab.script(longest) < 9_000
    assert "more characters" in tab.text("#log")


def test_a_flood_fills_neither_the_page_nor_its_memory(tab: Tab) -> None:
    go(tab, "logs/floods")
    tab.shows("#log", "flood is over")
    tab.run.post("/services/floods/restart?wait=20")
    tab.shows("#log-count", "the last 2000 shown")
    tab.shows("#log .line:last-child", "flood is over")
    assert tab.script("return document.querySelectorAll('#log .line').length") <= 2_000
    kept = int(tab.text("#log-count").partition(" of ")[2].partition(",")[0])
    assert kept <= 11_000


def test_no_script_makes_markup_of_a_text_or_reaches_anywhere(tab: Tab) -> None:
    attempts = {
        "markup": "document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); return 'done'",
        "inline": "const made = document.createElement('script');"
        " made.textContent = 'window.pwned = 1'; document.head.append(made); return 'done'",
        "elsewhere": "return await fetch('http://127.0.0.1:9/').then(() => 'done')",
    }
    for name, attempt in attempts.items():
        told = tab.wait_script(attempt)
        assert str(told).startswith("error:"), name
    tab.wait_script(
        "const image = new Image(); const over = new Promise((end) => { image.onerror = end; });"
        " image.src = 'http://127.0.0.1:9/x.png'; await over"
    )
    assert "Content Security Policy" in " ".join(tab.complaints())
    tab.driver.refresh()
