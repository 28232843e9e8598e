"""Paths that stay in their root, and where app-data lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format import paths
from bundlevisor.manifest.format.paths import (
    WINDOWS,
    EscapesRoot,
    PathRefused,
    anchor,
    app_data_folder,
    crosses_link,
    folder_name,
    normalise,
    part_below,
    resolve,
    within,
)

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("bin/x", "bin/x"),
        ("bin\\sub\\x.exe", "bin/sub/x.exe"),
        ("./bin//x/", "bin/x"),
        ("bin/../lib/./x", "lib/x"),
        ("", "."),
        (".", "."),
        ("a/..", "."),
        ("...", "..."),
        ("..x/x..", "..x/x.."),
        ("~/x", "~/x"),
        (" x", " x"),
        ("é:x", "é:x"),
    ],
)
def test_a_path_is_normalised(path: str, normal: str) -> None:
    assert normalise(path, windows=False) == normal


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../../x",
        "a\\..\\..\\x",
        "/etc/passwd",
        "\\windows",
        "\\\\server\\share\\x",
        "//server/share",
        "C:\\x",
        "c:x",
        "C:/x",
        "./c:/x",
        "bin/../c:x",
        "z:",
        "\\\\?\\C:\\x",
        "./../x",
    ],
)
@pytest.mark.parametrize("windows", [False, True])
def test_a_path_that_leaves_its_root_is_refused_on_every_platform(path: str, windows: bool) -> None:
    with pytest.raises(EscapesRoot, match="path") as refused:
        normalise(path, windows=windows)
    assert f"'{path}'" in str(refused.value)


@pytest.mark.parametrize(
    "path",
    ["con", "CON", "a/nul", "aux.txt", "COM1", "lpt9.log.gz", "com¹", "nul .txt", "conin$",
     "x.", "x /y", "a/b. ", "file.txt:stream", "a/b:c/d", "xy::$DATA",
     "a<b", "a/b>", 'say "it"', "a|b", "what?", "*", "a\tb", "a\x01"],
)  # fmt: skip
def test_names_with_another_meaning_on_windows_are_refused_there_only(path: str) -> None:
    assert normalise(path, windows=False)
    with pytest.raises(PathRefused, match="rename it"):
        normalise(path, windows=True)


@pytest.mark.parametrize(
    "path", ["console", "com10", "auxiliary", "nully.txt", "com", "lpt", "conX", "con\u00a0"]
)
def test_names_that_only_look_like_devices_are_fine(path: str) -> None:
    assert normalise(path, windows=True) == path


@pytest.mark.parametrize(
    ("name", "on_posix", "on_windows"),
    [
        ("x" * 255, True, True),
        ("x" * 256, False, False),
        ("ü" * 127 + "x", True, True),
        ("ü" * 128, False, True),
        ("\U0001f600" * 63, True, True),
        ("\U0001f600" * 128, False, False),
    ],
)
def test_no_file_system_takes_a_longer_name(name: str, on_posix: bool, on_windows: bool) -> None:
    for windows, fits in ((False, on_posix), (True, on_windows)):
        if fits:
            assert normalise(f"a/{name}/b", windows=windows) == f"a/{name}/b"
        else:
            with pytest.raises(PathRefused, match=r"^path '(.)\1{19}\.\.\.': .* shorten it\.$"):
                normalise(f"a/{name}/b", windows=windows)


def test_nul_characters_are_refused() -> None:
    with pytest.raises(PathRefused, match="NUL"):
        normalise("a\0b")


@given(st.text("ab./\\:. -é", max_size=20), st.sampled_from(sorted({WINDOWS, True})))
def test_what_is_accepted_stays_below_the_root(path: str, windows: bool) -> None:
    try:
        normal = normalise(path, windows=windows)
    except PathRefused:
        return
    assert not normal.startswith("/")
    assert ".." not in normal.split("/")
    assert "\\" not in normal
    root = os.path.abspath("root")
    assert within(os.path.normpath(os.path.join(root, normal)), root)
    assert normalise(normal, windows=windows) == normal


@pytest.mark.parametrize("below", ["", "x", "nul", "a/con.txt"])
@pytest.mark.parametrize("root", [os.sep, os.path.abspath("root")])
def test_what_a_path_says_below_its_root_is_read_as_text(root: str, below: str) -> None:
    path = os.path.join(root, *below.split("/")) if below else root
    assert part_below(path, root) == (below.replace("/", os.sep) or ".")


def test_a_path_is_resolved_below_its_root_whether_it_exists_or_not(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert resolve(str(tmp_path), "bin\\x") == os.path.join(tmp_path, "bin", "x")
    assert resolve(str(tmp_path), "new/deep/../x") == os.path.join(tmp_path, "new", "x")
    assert resolve(str(tmp_path), "") == str(tmp_path)


@links
def test_links_that_stay_inside_are_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "v2").mkdir()
    (tmp_path / "current").symlink_to("v2")
    assert resolve(str(tmp_path), "current/x") == str(tmp_path / "current" / "x")


@links
def test_links_that_lead_out_are_refused_at_any_place(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (root / "door").symlink_to(tmp_path / "outside")
    (root / "deep" / "file").symlink_to(tmp_path / "outside" / "secret")
    (root / "chain").symlink_to("door")
    for path in ("door", "door/x", "deep/file", "chain/x", "deep/../door/x"):
        with pytest.raises(EscapesRoot, match="by a link"):
            resolve(str(root), path)


def test_on_windows_anything_may_be_a_junction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "WINDOWS", True)
    assert crosses_link(os.path.abspath("root"), [])


@links
def test_a_root_behind_a_link_is_no_escape(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to("real")
    assert resolve(str(tmp_path / "root"), "x") == str(tmp_path / "root" / "x")


def test_a_sibling_with_the_same_beginning_is_not_within() -> None:
    base = os.path.abspath("base")
    assert within(base, base)
    assert within(os.path.join(base, "x"), base)
    assert not within(base + "2", base)
    assert within(os.path.abspath(os.sep + "x"), os.path.abspath(os.sep))


def test_rendered_paths_may_lie_in_either_root_but_nowhere_else(tmp_path: Path) -> None:
    bundle, data = tmp_path / "bundle", tmp_path / "data"
    assert anchor("work", str(bundle), str(data)) == str(bundle / "work")
    assert anchor(f"{data}/work", str(bundle), str(data)) == str(data / "work")
    assert anchor(f"{data}\\work", str(bundle), str(data)) == str(data / "work")
    assert anchor(str(bundle), str(bundle), str(data)) == str(bundle)
    for outside in (f"{data}/../x", str(tmp_path), "../x"):
        with pytest.raises(EscapesRoot):
            anchor(outside, str(bundle), str(data))


@links
def test_a_root_that_is_a_link_in_the_other_one_is_its_own(tmp_path: Path) -> None:
    bundle, data = tmp_path / "bundle", tmp_path / "bundle" / "data"
    (tmp_path / "disk").mkdir()
    bundle.mkdir()
    data.symlink_to(tmp_path / "disk")
    assert anchor(f"{data}/work", str(bundle), str(data)) == str(data / "work")
    for outside in (f"{data}/../../disk/work", "data/work"):
        with pytest.raises(EscapesRoot):
            anchor(outside, str(bundle), str(data))


@pytest.mark.parametrize(
    ("system", "environ", "folder"),
    [
        ("linux", {"HOME": "/home/u"}, ["/home/u", ".config"]),
        ("linux", {"HOME": "/home/u", "XDG_CONFIG_HOME": "/cfg"}, ["/cfg"]),
        ("linux", {"HOME": "/home/u", "XDG_CONFIG_HOME": "cfg"}, ["/home/u", ".config"]),
        ("darwin", {"HOME": "/Users/u"}, ["/Users/u", "Library", "Application Support"]),
        ("win32", {"APPDATA": "/roaming"}, ["/roaming"]),
        ("win32", {"HOME": "/home/u"}, ["/home/u", "AppData", "Roaming"]),
        ("linux", {}, [os.path.expanduser("~"), ".config"]),
    ],
)
def test_app_data_lies_where_go_puts_it(
    system: str, environ: dict[str, str], folder: list[str]
) -> None:
    expected = os.path.join(*folder, "my-app")
    assert app_data_folder("My App", environ, system) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="the system's list of users is POSIX'")
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "near"}, {"HOME": "~"}])
def test_a_home_that_is_no_absolute_path_is_the_one_that_the_system_knows(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pwd

    monkeypatch.delenv("HOME")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    known = pwd.getpwuid(os.getuid()).pw_dir
    assert app_data_folder("My App", environ, "linux") == os.path.join(known, ".config", "my-app")


@pytest.mark.skipif(sys.platform == "win32", reason="the system's list of users is POSIX'")
def test_a_user_whom_the_system_does_not_know_has_no_folder_named_tilde(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    assert app_data_folder("My App", {}, "linux") == "/.config/my-app"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Picker Wheel", "picker-wheel"),
        ("a/b\\c:d", "a-b-c-d"),
        ("..", "bundle"),
        ("  ", "bundle"),
        ("App.", "app"),
        ("Ünï", "ünï"),
        ("con", "con-app"),
        ("con.x", "con.x-app"),
        ("a\tb\x01c", "a-b-c"),
    ],
)
def test_an_apps_name_becomes_a_folder_name(name: str, folder: str) -> None:
    assert folder_name(name) == folder
