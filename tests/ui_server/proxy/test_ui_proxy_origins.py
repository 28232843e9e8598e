"""Pages of other sites have no way to the API, unless the page's settings allow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_page_of_another_site_may_not_use_the_api(ui: Any, origin: str) -> None:
    answer = ui.ask("/api/x", method="POST", body=b"x", headers={"Origin": origin})
    assert (answer.status, answer.json["code"]) == (403, "foreign_origin")
    assert ui.ask("/", headers={"Origin": origin}).status == 200


def test_the_own_page_and_an_allowed_site_may(serving: Any, root: Path, api: Any) -> None:
    ui = serving(root, upstream=api.port, allowed_origins=("https://partner.example",))
    for origin in (f"http://localhost:{ui.port}", "https://partner.example", "app://notes"):
        sent = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        assert ui.ask("/api/x", headers=sent).status == 200, origin


@pytest.mark.parametrize("path", ["/api/x", "/ws", "/%61pi/x"])
def test_an_image_or_link_of_another_site_does_not_reach_the_api(ui: Any, path: str) -> None:
    """Such requests have no Origin."""
    answer = ui.ask(path, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"})
    assert (answer.status, answer.json["code"]) == (403, "foreign_origin")
    assert ui.ask("/", headers={"Sec-Fetch-Site": "cross-site"}).status == 200
    for site in ("same-origin", "same-site", "none"):
        assert ui.ask("/api/x", headers={"Sec-Fetch-Site": site}).status == 200, site
