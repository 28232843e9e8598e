"""Which pages of a bundle share a process: the rule."""

from __future__ import annotations

from bundlevisor.actors.launch.page import PageGroup, page_group
from bundlevisor.manifest.format.schema import Service


def group(needs: dict[str, list[str]], *pages: str) -> PageGroup | None:
    made = [Service(id=id_) for id_ in needs]
    return page_group(made, pages, needs)


def test_pages_share_a_process_when_there_are_several_that_no_program_needs() -> None:
    assert group({"api": [], "ui": ["api"]}, "ui") is None
    both = group({"api": [], "ui": ["api"], "docs": []}, "ui", "docs")
    assert both is not None
    assert (both.ids, both.needs) == (("ui", "docs"), ("api",))
    needed = {"api": ["ui"], "ui": [], "docs": [], "admin": []}
    others = group(needed, "ui", "docs", "admin")
    assert others is not None
    assert others.ids == ("docs", "admin"), "the API ends before the page that it needs"
    behind = group({"ui": [], "docs": ["ui"]}, "ui", "docs")
    assert behind is not None
    assert (behind.ids, behind.needs) == (("ui", "docs"), ())
