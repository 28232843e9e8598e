"""The page's files: their types, their format, and that all of them are used, shipped and own."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundlevisor.control.dashboard.page_files import FOLDER, TYPES
from tests.electron.npm import PACKAGE, ROOT, needs_npm, run, tools
from tests.packaging import made

FILES = sorted(Path(FOLDER).iterdir())
HERE = Path(__file__).parent


@needs_npm
@pytest.mark.timeout(600)
def test_its_types_are_right() -> None:
    run(tools() / ".bin" / "tsc", "-p", HERE / "tsconfig.json")


@needs_npm
@pytest.mark.timeout(600)
def test_it_is_formatted() -> None:
    config = f"--config={PACKAGE / '.prettierrc.json'}"
    run(tools() / ".bin" / "prettier", config, "--check", FOLDER, HERE / "tsconfig.json")


def test_every_file_has_a_type_and_is_used() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in FILES}
    assert {path.suffix for path in FILES} == set(TYPES)
    used = {
        name
        for text in texts.values()
        for name in re.findall(r'(?:/ui/|from "\./)([\w.]+\.\w+)"', text)
    }
    assert used | {"index.html", "enter.html"} == set(texts)


def test_nothing_is_inline_and_nothing_foreign() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9]", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)
        if path.suffix == ".html":
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_the_server_imports_nothing_of_it_before_somebody_asks() -> None:
    code = "import sys, bundlevisor.control.http.server; print(*sys.modules)"
    imported = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert "bundlevisor.control.http.door" in imported
    assert "dashboard" not in imported


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_wheel_has_all_of_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    wheel = made.wheel(tmp_path_factory)
    inside = "bundlevisor/control/dashboard/static/"
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if inside in name}
    assert names == {path.name for path in FILES}
