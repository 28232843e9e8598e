"""Programs that hardly any bundle names: where they are looked for, and Playwright's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bundlevisor.manifest.format.schema import Binary
from bundlevisor.manifest.plan.command import candidates, on_path
from bundlevisor.manifest.plan.launch import DevelopedBinary, program_of, working_folder
from bundlevisor.manifest.plan.playwright import chromium_path, conventions, driver_port
from bundlevisor.manifest.plan.template import Scope

posix = pytest.mark.skipif(sys.platform == "win32", reason="paths are written for POSIX")


SCOPE = Scope(
    bundle="/bundle", data="/data", ports={"web": {"http": 4000}, "two": {"a": 1, "b": 2}}
)


@posix
def test_a_name_is_looked_for_on_path(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.touch(0o755)
    environ = {"PATH": f"relative:{tmp_path / 'none'}:{tmp_path}"}
    assert on_path("tool", environ) == str(tool)
    assert on_path("other", environ) == ""
    assert on_path("sub/tool", environ) == ""
    assert on_path("tool", {}) == ""


@posix
def test_a_word_beside_a_binary_that_would_lead_out_is_not_looked_for_there(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "x").symlink_to("/bin/sh")
    root, beside = str(tmp_path), str(tmp_path / "bin")
    found = candidates("x", bundle=root, data="/d", binary_folder=beside, environ={})
    assert found == (f"{root}/x",)


@posix
def test_a_binary_of_a_developer_may_lie_anywhere() -> None:
    mine = DevelopedBinary(path="/home/me/target/api", cwd="/home/me")
    assert program_of(mine, "/bundle") == "/home/me/target/api"
    assert working_folder(mine, SCOPE) == "/home/me"
    inside = DevelopedBinary(path="bin/api", cwd="sub")
    assert program_of(inside, "/bundle") == "/bundle/bin/api"
    assert working_folder(inside, SCOPE) == "/bundle/sub"
    assert working_folder(None, SCOPE) == "/bundle"
    assert program_of(Binary(path="bin/api"), "/bundle") == "/bundle/bin/api"


@posix
@pytest.mark.parametrize(
    ("wanted", "electron", "there", "path"),
    [
        ("", "/opt/chrome", True, "/opt/chrome"),
        ("chrome", "", True, "/bundle/chrome"),
        ("chrome", "/opt/chrome", True, "/bundle/chrome"),
        ("chrome", "/opt/chrome", False, "/opt/chrome"),
        ("chrome", "", False, "/bundle/chrome"),
        ("chrome", "/opt/chrome", None, "/bundle/chrome"),
        ("../chrome", "/opt/chrome", True, "/opt/chrome"),
        ("../chrome", " ", True, "../chrome"),
    ],
)
def test_which_chromium_playwright_is_given(
    wanted: str, electron: str, there: bool | None, path: str
) -> None:
    exists = None if there is None else lambda _: bool(there)
    assert chromium_path(wanted, electron, SCOPE, exists) == path


def test_what_playwright_is_given_without_having_asked() -> None:
    several: list[dict[str, int]] = [{"http": 1, "b": 2}, {"a": 3}, {"a": 1, "b": 2}, {}]
    assert [driver_port(ports) for ports in several] == [1, 3, None, None]
    assert conventions(lambda _: "", "two", "", SCOPE, None) == {"ENGINE": "playwright"}
    assert conventions(lambda _: "", "web", "/opt/chrome", SCOPE, None) == {
        "ENGINE": "playwright",
        "PLAYWRIGHT_DRIVER_PORT": "4000",
        "PLAYWRIGHT_DRIVER_URL": "http://127.0.0.1:4000",
        "PLAYWRIGHT_CHROMIUM_PATH": "/opt/chrome",
    }
    mine = {"ENGINE": "mine"}
    assert "ENGINE" not in conventions(lambda name: mine.get(name, ""), "web", "", SCOPE, None)
