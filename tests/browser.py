"""A headless Chromium, driven through chromedriver, where both are installed.

One starts in two seconds of processor time. So there is one for all tests of a process (the fixture
``browser``), and each is given a tab in which nothing of the others is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import absent

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

needs_browser = absent.unless(CHROMIUM and DRIVER, "chromium and chromedriver")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nobody types into an address bar or needs a next tab at once: they cost processes of their own
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess",
)

BLANK = "about:blank"


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Run a browser with a profile of its own until the block ends."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
    try:
        driver.set_script_timeout(120)
        driver.get(BLANK)
        yield driver
    finally:
        driver.quit()


@contextmanager
def fresh_tab(driver: Any) -> Iterator[Any]:
    """Show a new tab until the block ends; then forget cookies, files and all that a page stored.

    Within the block of another one, whose cookies are still needed, there is a second tab.
    """
    outer = driver.current_window_handle
    is_alone = driver.current_url == BLANK
    driver.switch_to.new_window("tab")
    if is_alone:
        close(driver, outer)
    try:
        yield driver
    finally:
        if is_alone:
            forget(driver)
        else:
            close(driver, driver.current_window_handle, then=outer)


def close(driver: Any, tab: str, then: str | None = None) -> None:
    """Close a tab and go to another one: the one that is shown unless it is told."""
    then = then or driver.current_window_handle
    driver.switch_to.window(tab)
    driver.close()
    driver.switch_to.window(then)


def forget(driver: Any) -> None:
    """Leave the page, and forget what it and others have stored."""
    origin = driver.execute_script("return location.origin")
    driver.get(BLANK)
    for command, words in (
        ("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}),
        ("Network.clearBrowserCookies", {}),
        ("Network.clearBrowserCache", {}),
    ):
        driver.execute_cdp_cmd(command, words)
    driver.get_log("browser")
