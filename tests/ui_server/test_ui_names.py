from __future__ import annotations

import sys
import unicodedata

import pytest

from bundlevisor.actors.ui_server.files.url_path import (
    has_suffix,
    is_route,
    is_servable,
    spellings,
    split,
)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", ()),
        ("/app.js", ("app.js",)),
        ("/docs/", ("docs", "")),
        ("/docs/page.html", ("docs", "page.html")),
        ("/a%20b/%C3%A9.txt", ("a b", "é.txt")),
        ("/é.txt", ("é.txt",)),
        ("/100%25.txt", ("100%.txt",)),
        ("/%2561.txt", ("%61.txt",)),
        ("/.well-known/assetlinks.json", (".well-known", "assetlinks.json")),
        ("/a..b/c", ("a..b", "c")),
        ("/console.js", ("console.js",)),
        ("/APPENDIX", ("APPENDIX",)),
        ("/com10/x", ("com10", "x")),
    ],
)
def test_a_path_becomes_names_that_are_decoded_once(path: str, names: tuple[str, ...]) -> None:
    assert split(path) == names


@pytest.mark.parametrize(
    "path",
    [
        "",
        "app.js",
        "//app.js",
        "/a//b",
        "/docs//",
        "/..",
        "/../etc/passwd",
        "/a/../b",
        "/./a",
        "/%2e%2e/etc/passwd",
        "/%2E%2E%2fetc",
        "/..%2f..%2fetc%2fpasswd",
        "/..%5c..%5cboot.ini",
        "/..\\..\\boot.ini",
        "/a%5Cb",
        "/a\\b",
        "/a%00.html",
        "/a%0d%0ab",
        "/a%7f",
        "/C:/Windows/win.ini",
        "/C:",
        "/c%3A/x",
        "/a.txt::$DATA",
        "/a.txt%3a%3a$DATA",
        "/con",
        "/CON.txt",
        "/aux.js",
        "/nul",
        "/NUL .txt",
        "/prn.tar.gz",
        "/com1",
        "/com¹.txt",
        "/LPT9.log",
        "/conin$",
        "/CONOUT$.x",
        "/folder/con/file",
        "/a.",
        "/a ",
        "/a%20",
        "/folder./x",
        "/.env",
        "/.git/config",
        "/a/.hidden/b",
        "/...",
        "/%",
        "/%zz",
        "/%2",
        "/%ff",
        "/%c0%ae%c0%ae/",
        "/%ed%a0%80",
        "/a?b".replace("?", "%3f"),
        "/a*b",
        '/a"b',
        "/<a>",
        "/a|b",
    ],
)
def test_a_path_that_could_mean_something_else_on_some_platform_names_no_file(path: str) -> None:
    assert split(path) is None


def test_bytes_that_are_not_utf8_name_no_file() -> None:
    assert split("/caf\udce9.txt") is None


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("/", False),
        ("/users/4", False),
        ("/users/", False),
        ("/v1.2/users", False),
        ("/app.js", True),
        ("/app.js/", True),
        ("/a.b", True),
        ("/users/john.doe", True),
        ("/.well-known", False),
    ],
)
def test_only_the_last_name_tells_a_file_from_a_route(path: str, suffix: bool) -> None:
    names = split(path)
    assert names is not None
    assert has_suffix(names) is suffix


def test_an_accented_name_is_looked_for_composed_and_decomposed() -> None:
    composed, decomposed = ("café.txt",), (unicodedata.normalize("NFD", "café.txt"),)
    assert spellings(composed) == [composed, decomposed]
    assert spellings(decomposed) == [decomposed, composed]
    assert spellings(("plain.txt",)) == [("plain.txt",)]


def test_where_the_programs_files_are_gone_a_name_is_looked_for_as_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "unicodedata", None)
    assert spellings(("\u00e9.txt",)) == [("\u00e9.txt",)]


def test_an_empty_name_is_not_servable() -> None:
    assert not is_servable("")


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", True),
        ("/notes/4", True),
        ("/notes/4/", True),
        ("/tags/urn:isbn:1", True),
        ("/find/why%3F", True),
        ("/say/%22hello%22", True),
        ("/folder/a%2Fb", True),
        ("/title/ends%20", True),
        ("/.well-known/x", True),
        ("/app.js", False),
        ("/users/john.doe", False),
        ("/..", False),
        ("/a/../b", False),
        ("/%2e%2e/x", False),
        ("//x", False),
        ("/a//b", False),
        ("/.git/config", False),
        ("/C:/Windows", False),
        ("/c%3a", False),
        ("/LICENSE::$DATA", False),
        ("/a%5Cb", False),
        ("/a%00", False),
        ("/con/x", False),
        ("/%zz", False),
        ("x", False),
    ],
)
def test_a_client_side_route_may_hold_what_a_file_name_may_not(path: str, route: bool) -> None:
    assert is_route(path) is route
