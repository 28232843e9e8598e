"""Files over real HTTP, from a real folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ui_server.files.conftest import BIG, INDEX

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_hashed_file_may_be_kept_for_a_year_once_it_is_whole(
    ui: Any, root: Path, until: Any
) -> None:
    def written() -> Any:
        (root / "app.9c4ef0bd.js").write_bytes(b"console.")
        return ui.ask("/app.9c4ef0bd.js").header("Cache-Control") == "no-cache"

    until(written, "it is asked for again, as it may be half of what is being written")

    def settled() -> Any:
        return ui.ask("/app.3f2a91bc.js").header("Cache-Control") != "no-cache"

    until(settled, "it was written long enough ago")
    answer = ui.ask("/app.3f2a91bc.js")
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert answer.header("Content-Type") == "text/javascript; charset=utf-8"


def test_a_query_does_not_change_the_file(ui: Any) -> None:
    assert ui.ask("/app.js?v=2&x=../..").body == b"console.log(1)"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/a%20b.txt", b"blank"),
        ("/100%25.txt", b"percent"),
        ("/compos%C3%A9.txt", b"nfc"),
        ("/compose%CC%81.txt", b"nfc"),
        ("/d%C3%A9compos%C3%A9.txt", b"nfd"),
        ("/de%CC%81compose%CC%81.txt", b"nfd"),
        ("/docs/page.txt", b"page"),
        ("/.well-known/test.json", b"{}"),
    ],
)
def test_encoded_and_accented_names_are_found(ui: Any, path: str, body: bytes) -> None:
    assert ui.ask(path).body == body


@pytest.mark.parametrize("path", ["/", "/app.js", "/big.bin", "/empty.txt", "/text.css"])
def test_head_says_what_get_would_without_the_body(ui: Any, path: str) -> None:
    got, head = ui.ask(path), ui.ask(path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert dict(head.headers) | {"Date": ""} == dict(got.headers) | {"Date": ""}
    assert head.header("Content-Length") == str(len(got.body))


def test_a_big_file_arrives_whole(ui: Any) -> None:
    answer = ui.ask("/big.bin")
    assert answer.header("Content-Length") == str(len(BIG))
    assert answer.body == BIG


def test_an_empty_file_is_a_file(ui: Any) -> None:
    answer = ui.ask("/empty.txt")
    assert (answer.status, answer.body, answer.header("Content-Length")) == (200, b"", "0")


@pytest.mark.parametrize(
    "path",
    ["/notes/4", "/notes/", "/plain", "/plain/", "/a/b/c?x=1", "/tags/urn:isbn:1", "/find/why%3F"],
)
def test_a_client_side_route_is_the_index(ui: Any, path: str) -> None:
    answer = ui.ask(path, headers=HTML)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.header("Cache-Control") == "no-cache"


def test_a_route_is_no_answer_to_who_wants_no_page(ui: Any) -> None:
    assert ui.ask("/notes/4", headers={"Accept": "application/json"}).status == 404
    script = {"Accept": "*/*", "Sec-Fetch-Dest": "script"}
    assert ui.ask("/notes/4", headers=script).status == 404
    assert ui.ask("/notes/4", headers=HTML, method="HEAD").status == 200


@pytest.mark.parametrize("path", ["/missing.js", "/docs/missing.png", "/users/john.doe"])
def test_a_missing_file_with_a_suffix_is_not_found(ui: Any, path: str) -> None:
    answer = ui.ask(path, headers=HTML)
    assert answer.status == 404
    assert b"no such file" in answer.body
    assert answer.header("Cache-Control") == "no-store"
    assert ui.ask(path).json["code"] == "not_found"


def test_a_folder_is_its_index_and_never_a_listing(ui: Any) -> None:
    assert ui.ask("/docs/").body == b"docs"
    moved = ui.ask("/docs?x=1")
    assert (moved.status, moved.header("Location")) == (308, "/docs/?x=1")
    assert ui.ask("/plain/", headers={"Accept": "application/json"}).status == 404


def test_another_method_than_get_and_head_is_told_what_is_allowed(ui: Any) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        answer = ui.ask("/app.js", method=method)
        assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD"), method


def test_connections_are_kept_and_requests_pipelined(ui: Any) -> None:
    one = b"GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /empty.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert ui.raw(one + one + last).count(b"HTTP/1.1 200 OK") == 3


def test_http_1_0_is_answered_and_closed(ui: Any) -> None:
    answer = ui.raw(b"GET /app.js HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 200")
    assert answer.endswith(b"console.log(1)")


def test_another_index_than_index_html_is_served(serving: Any, tmp_path: Path) -> None:
    (tmp_path / "app.html").write_bytes(b"the app")
    ui = serving(tmp_path, index="app.html", proxied=False)
    assert ui.ask("/").body == b"the app"
    assert ui.ask("/route").body == b"the app"
    assert ui.ask("/index.html").status == 404


def test_without_an_api_its_paths_are_files_and_routes_but_no_page_for_a_program(
    serving: Any, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_bytes(b"the app")
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "reference.json").write_bytes(b"{}")
    ui = serving(tmp_path, proxied=False)
    assert ui.ask("/api/reference.json").body == b"{}"
    assert ui.ask("/api/notes", headers=HTML).body == b"the app"
    for method, path in (("GET", "/api/notes"), ("POST", "/api/notes"), ("GET", "/ws")):
        answer = ui.ask(path, method=method, headers={"Accept": "*/*"})
        assert (answer.status, answer.json["code"]) == (404, "no_api"), path
        assert "'api' or 'http'" in answer.json["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing on Windows")
@pytest.mark.permissions
def test_a_file_that_may_not_be_read_is_forbidden(serving: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    (tmp_path / "a.txt").chmod(0)
    assert serving(tmp_path).ask("/a.txt").status == 403
