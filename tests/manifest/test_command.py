"""Which file a command's first word means."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from manifest.command import CommandNotFound, candidates, find, is_runnable
from manifest.paths import EscapesRoot

posix = pytest.mark.skipif(sys.platform == "win32", reason="paths are written for POSIX")


def places(word: str, **more: str) -> tuple[str, ...]:
    environ = {"PATH": more.pop("path", "/usr/bin::relative:/bin")}
    return candidates(word, bundle="/bundle", data="/data", environ=environ, windows=False, **more)


@posix
def test_the_bundle_goes_first_then_the_binarys_folder_then_path() -> None:
    assert places("migrate", binary_folder="/bundle/services/api") == (
        "/bundle/migrate",
        "/bundle/services/api/migrate",
        "/usr/bin/migrate",
        "/bin/migrate",
    )


@posix
def test_a_word_with_a_separator_is_never_sought_on_path() -> None:
    for word in ("./migrate", "bin/migrate", "bin\\migrate"):
        assert not any(place.startswith(("/usr", "/bin")) for place in places(word))
    assert places("./migrate", binary_folder="/bundle/bin") == (
        "/bundle/migrate",
        "/bundle/bin/migrate",
    )


@posix
def test_a_rendered_word_in_app_data_is_found_there_alone() -> None:
    assert places("/data/tools/x") == ("/data/tools/x",)


@posix
@pytest.mark.parametrize("word", ["/bin/sh", "../x", "C:\\x"])
def test_a_word_that_leads_out_is_refused(word: str) -> None:
    with pytest.raises(EscapesRoot):
        places(word)


def test_on_windows_the_suffixes_of_pathext_are_tried() -> None:
    found = candidates(
        "tool", bundle="bundle", data="data", environ={"PATHEXT": ".EXE;.BAT"}, windows=True
    )
    root = os.path.abspath("bundle")
    assert found == tuple(os.path.join(root, name) for name in ("tool", "tool.exe", "tool.bat"))
    exact = candidates("tool.ExE", bundle="bundle", data="data", environ={}, windows=True)
    assert exact == (os.path.join(root, "tool.ExE"),)


def test_the_first_that_can_be_run_is_found() -> None:
    assert find("x", ("/a/x", "/b/x", "/c/x"), {"/b/x", "/c/x"}.__contains__) == "/b/x"


def test_the_error_says_where_it_was_sought() -> None:
    with pytest.raises(
        CommandNotFound, match=r"x \(looked in /a/x, /b/x\); is the bundle complete"
    ):
        find("x", ("/a/x", "/b/x"), lambda _: False)


@posix
def test_only_files_with_permission_can_be_run(tmp_path: Path) -> None:
    program = tmp_path / "x"
    assert not is_runnable(str(program))
    program.touch(0o644)
    assert not is_runnable(str(program))
    program.chmod(0o755)
    assert is_runnable(str(program))
    assert not is_runnable(str(tmp_path))
