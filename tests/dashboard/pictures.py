"""Makes the pictures of docs/dashboard.md anew: ``python -m tests.dashboard.pictures``.

The notes example runs, and a browser is let in by the installed command, as a user does it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.browser import chromium
from tests.bundle_maker import Bundle
from tests.dashboard.tab import Tab, opened
from tests.examples.notes_running import copied_notes, opened as notes_opened
from tests.waiting import wait_until

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = (1200, 500)
DARK = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = Bundle.existing(copied_notes(folder) / "bundle.json", folder)
        with (
            chromium(folder / "profile") as browser,
            notes_opened(made) as page,
            opened(page.run, browser) as tab,
        ):
            tab.driver.set_window_size(*SIZE)
            for text in ("The loom and the cards", "What weaves, remembers", "Jacquard, 1804"):
                page.write(text)
            page.run.post("/services/indexer/restart?wait=20")
            samples = "return (document.querySelector('.spark polyline').points.length)"
            wait_until(lambda: tab.script(samples) > 15, deadline=90, what="two dozen looks")
            take(tab, "services")
            tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", DARK)
            tab.script("location.hash = 'logs'")
            tab.find("#log-search").send_keys("note")
            tab.shows("#log mark", "note")
            take(tab, "logs")


def take(tab: Tab, name: str) -> None:
    tab.script("document.activeElement.blur()")
    path = FOLDER / f"dashboard-{name}.png"
    path.write_bytes(tab.driver.get_screenshot_as_png())
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
