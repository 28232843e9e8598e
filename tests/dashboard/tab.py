"""The dashboard in a real browser, as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.browser import fresh_tab
from tests.live_runtime import Run, bundlevisor
from tests.waiting import wait_until


def address(run: Run) -> str:
    """Ask the installed command for the address that lets a browser in."""
    asked = bundlevisor("dashboard", "--no-open", "--app-data", str(run.app_data))
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


class Tab:
    """A tab that shows the dashboard of a run."""

    def __init__(self, driver: Any, run: Run) -> None:
        self.driver = driver
        self.run = run

    @property
    def place(self) -> str:
        return f"http://{self.run.host}:{self.run.port}"

    def enter(self, until: str = "ready") -> None:
        """Get in, and wait until the services are shown with this word."""
        self.driver.get(address(self.run))
        wait_until(lambda: self.driver.current_url == f"{self.place}/ui/", what="the page opens")
        self.shows("#services-body", until)

    def be_in(self) -> None:
        """Show the services, and get in for that where a test has left."""
        self.driver.get(f"{self.place}/ui/")

        def is_out() -> bool:
            return "You are not in yet." in self.text("#said")

        wait_until(lambda: "ready" in self.text("#services-body") or is_out(), what="either page")
        if is_out():
            self.enter()

    def script(self, body: str, *arguments: Any) -> Any:
        return self.driver.execute_script(body, *arguments)

    def wait_script(self, body: str) -> Any:
        """Run the body of an async function in the page; an error comes back as a text."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {body} }})().then(done, (error) => done('error: ' + error))"
        )
        return self.driver.execute_async_script(wrapped)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        found: str = self.script(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText).join('|')",
            selector,
        )
        return found

    def shows(self, selector: str, text: str) -> None:
        wait_until(lambda: text in self.text(selector), what=f"{selector} shows {text!r}")

    def click(self, selector: str) -> None:
        """Click on it, as soon as it can be: a view is drawn a moment after it was asked for."""
        from selenium.common import exceptions

        not_yet = (
            exceptions.ElementNotInteractableException,
            exceptions.ElementClickInterceptedException,
            exceptions.NoSuchElementException,
            exceptions.StaleElementReferenceException,
        )

        def is_clicked() -> bool:
            with suppress(*not_yet):
                self.find(selector).click()
                return True
            return False

        wait_until(is_clicked, what=f"{selector} to be there for a click")

    def press(self, keys: str) -> None:
        """Type keys into whatever has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(keys).perform()

    def focus(self) -> str:
        """Return what has the focus: its id, or its name for a screen reader, or its text."""
        found: str = self.script(
            "const e = document.activeElement;"
            "return e.id || e.getAttribute('aria-label') || e.textContent.trim()"
        )
        return found

    def complaints(self) -> list[str]:
        """Return what the browser has logged: errors, and what the policy has forbidden."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def opened(run: Run, browser: Any, until: str = "ready") -> Iterator[Tab]:
    """Show the dashboard of a run in a tab of its own."""
    with fresh_tab(browser) as driver:
        driver.set_window_size(1280, 800)
        tab = Tab(driver, run)
        tab.enter(until)
        yield tab
