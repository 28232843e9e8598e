"""Which file a command's first word means."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bundlevisor.manifest.format.paths import EscapesRoot
from bundlevisor.manifest.plan.command import (
    CommandNotFound,
    candidates,
    find,
    is_runnable,
    remedy,
    spelled,
)

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
def test_a_binary_that_lies_in_app_data_has_its_commands_beside_it() -> None:
    found = places("migrate", binary_folder="/data/tools")
    assert found[:2] == ("/bundle/migrate", "/data/tools/migrate")


@posix
def test_a_binary_that_an_overlay_has_elsewhere_has_its_commands_beside_it() -> None:
    beside = "/work/target/debug"
    found = places("migrate", binary_folder=beside)
    assert found[:3] == ("/bundle/migrate", f"{beside}/migrate", "/usr/bin/migrate")
    assert places("in/x", binary_folder=beside) == ("/bundle/in/x", f"{beside}/in/x")
    on_path = places("node", binary_folder="/usr/bin", path="/bundle/bin:/usr/bin")
    assert on_path == ("/bundle/node", "/bundle/bin/node", "/usr/bin/node")


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


def test_on_windows_a_program_may_be_named_without_its_suffix(tmp_path: Path) -> None:
    there, missing = str(tmp_path / "api"), str(tmp_path / "other")
    (tmp_path / "api.exe").touch()
    environ = {"PATHEXT": ".COM;.EXE"}
    assert spelled(there, environ, windows=True) == f"{there}.exe"
    assert spelled(missing, environ, windows=True) == missing
    assert spelled(there, environ, windows=False) == there


def test_the_first_that_can_be_run_is_found() -> None:
    assert find("x", ("/a/x", "/b/x", "/c/x"), {"/b/x", "/c/x"}.__contains__) == "/b/x"


@posix
def test_the_error_says_where_it_was_sought_and_only_counts_the_folders_of_path() -> None:
    path = ":".join(["/b/bin", "/b/cli", *(f"/usr/{number}" for number in range(40))])
    places = candidates("x", bundle="/b", data="/d", binary_folder="/b/in", environ={"PATH": path})
    with pytest.raises(CommandNotFound) as caught:
        find("x", places, lambda _: False)
    assert str(caught.value) == (
        "command not found: x (looked in /b, /b/in, /b/bin, /b/cli and 40 folders of PATH); "
        "is the bundle complete, and the command installed?"
    )


@posix
def test_a_command_with_a_path_is_sought_in_its_places_only() -> None:
    places = candidates(
        "in/x", bundle="/b", data="/d", binary_folder="/b/sub", environ={"PATH": "/usr/bin"}
    )
    with pytest.raises(CommandNotFound) as caught:
        find("in/x", places, lambda _: False)
    assert str(caught.value) == (
        "command not found: in/x (looked for /b/in/x and /b/sub/in/x, and not on PATH: there only"
        " names without a separator are looked for); is the bundle complete?"
    )


@posix
@pytest.mark.parametrize(
    ("path", "where"),
    [("", "/b)"), ("/usr/bin", "/b and 1 folder of PATH"), ("/b/cli:/x:/y", "/b, /b/cli and 2 f")],
)
def test_the_error_counts_what_path_adds(path: str, where: str) -> None:
    places = candidates("x", bundle="/b", data="/d", environ={"PATH": path}, windows=False)
    with pytest.raises(CommandNotFound) as caught:
        find("x", places, lambda _: False)
    assert f"(looked in {where}" in str(caught.value)
    assert caught.value.forbidden == ""


@posix
def test_on_windows_path_is_cut_at_semicolons_and_no_folder_is_a_device() -> None:
    environ = {"PATH": "/x;/y", "PATHEXT": ".EXE"}
    for windows, found in (
        (True, ("/b/X", "/b/X.exe", "/x/X", "/x/X.exe", "/y/X", "/y/X.exe")),
        (False, ("/b/X", "/b/aux/X", "/x;/y/X")),
    ):
        assert found == candidates(
            "X", bundle="/b", data="/d", binary_folder="/b/aux", environ=environ, windows=windows
        )


def test_the_suffixes_of_windows_are_not_listed() -> None:
    with pytest.raises(CommandNotFound, match=r"\(looked for /b/in/x and /c/in/x, and"):
        find("in/x", ("/b/in/x", "/b/in/x.exe", "/b/in/x.cmd", "/c/in/x", "/c/in/x.exe"))


@posix
def test_a_file_that_must_not_be_run_is_named(tmp_path: Path) -> None:
    program = tmp_path / "x"
    program.touch(0o644)
    with pytest.raises(CommandNotFound) as caught:
        find("x", ("/nowhere/x", str(program)))
    assert caught.value.forbidden == str(program)
    assert str(caught.value) == (
        f"command is not executable: x ({program}); set its executable bit"
    )


@posix
def test_what_lets_a_file_be_run_is_said(tmp_path: Path) -> None:
    program = tmp_path / "x"
    program.touch(0o644)
    assert remedy(str(program)) == remedy(str(tmp_path / "gone")) == "set its executable bit"
    program.chmod(0o755)
    assert "mounted noexec" in remedy(str(program))


@posix
def test_only_files_with_permission_can_be_run(tmp_path: Path) -> None:
    program = tmp_path / "x"
    assert not is_runnable(str(program))
    program.touch(0o644)
    assert not is_runnable(str(program))
    program.chmod(0o755)
    assert is_runnable(str(program))
    assert not is_runnable(str(tmp_path))
