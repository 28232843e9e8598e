"""The pages of ``docs/`` say what the code says, and lead where they say they lead."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import absent
from tests.live_runtime import ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *ROOT.glob("electron/*.md")]


def test_no_generated_page_is_stale() -> None:
    script = ROOT / "packaging" / "pages.py"
    checked = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, f"{checked.stdout}{checked.stderr}run packaging/pages.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not leads(page, link)] == []


def test_the_site_has_every_page_and_all_that_they_link_to() -> None:
    """``mkdocs build --strict`` refuses a link out of ``docs/`` and a page without a place."""
    docs = ROOT / "docs"
    pages = sorted(docs.glob("*.md"))
    out = [
        (page.name, link)
        for page in pages
        for link in links(page)
        if not (page.parent / link.partition("#")[0]).resolve().is_relative_to(docs)
    ]
    assert out == []
    placed = re.findall(r"[\w-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(placed) == [page.name for page in pages]


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](page.md#one) [b](page.md#two) [c](none.md) [d](https://x.y)\n")
    assert [link for link in links(page) if not leads(page, link)] == ["page.md#two", "none.md"]


@absent.unless(shutil.which("groff"), "groff")
def test_the_manual_page_can_be_set() -> None:
    page = str(ROOT / "docs" / "bundlevisor.1")
    words = ["groff", "-man", "-Tutf8", "-ww", "-rLL=80n", page]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stderr == b""
    shown = re.sub(rb"\x1b\[[0-9;]*m|.\x08", b"", done.stdout).decode()
    assert "bundlevisor exec [options] ID -- COMMAND…" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    yield from (link for link in LINK.findall(text) if "://" not in link)


def leads(page: Path, link: str) -> bool:
    where, _, part = link.partition("#")
    target = page.parent / where if where else page
    if not target.exists():
        return False
    return not part or part in anchors(target)


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as GitHub and mkdocs make them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}
