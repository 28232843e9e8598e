"""What the dashboard knows of a service that runs on demand, and is no part of the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser import needs_browser
from tests.bundle_maker import bundle, running
from tests.dashboard.tab import opened

pytestmark = [pytest.mark.slow, needs_browser]

ESCAPE = "\ue00c"


def test_who_needs_what_is_known_of_what_is_started_later(tmp_path: Path, browser: Any) -> None:
    made = bundle(tmp_path, "Notes", "1.1.0").service("db")
    made.service("tool", deps=["db"], metadata={"run_mode": "on_demand"})
    with running(made.write()) as run:
        run.until_ready()
        with opened(run, browser) as tab:
            tab.shows('tr[data-id="tool"] .state', "inactive")
            tab.click('button[aria-label="Stop db"]')
            tab.shows("#confirm-detail", "Nothing that runs needs it.")
            tab.press(ESCAPE)
            tab.click('button[aria-label="Start tool"]')
            tab.shows('tr[data-id="tool"] .state', "ready")
            tab.click('button[aria-label="Stop db"]')
            tab.shows("#confirm-detail", "What needs it stops first: tool.")
            tab.press(ESCAPE)
            label = "return document.querySelector('#graph-picture a[href$=tool]').ariaLabel"
            assert str(tab.script(label)).startswith("tool ready, needs db")
