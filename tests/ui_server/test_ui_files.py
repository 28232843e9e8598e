"""Files over real HTTP, from a real folder."""

from __future__ import annotations

import gzip
import os
import re
import sys
import unicodedata
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

BIG = bytes(range(256)) * 4096  # 1 MiB: sent by sendfile
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INDEX = b"<!doctype html><title>index</title>"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    files = {
        "index.html": INDEX,
        "app.js": b"console.log(1)",
        "app.3f2a91bc.js": b"console.log(2)",
        "big.bin": BIG,
        "empty.txt": b"",
        "a b.txt": b"blank",
        "100%.txt": b"percent",
        "docs/index.html": b"docs",
        "docs/page.txt": b"page",
        "plain/file.txt": b"no index here",
        "text.css": b"body{}",
        "text.css.br": b"brotli bytes",
        "text.css.gz": gzip.compress(b"body{}", mtime=0),
        "only.js": b"only gzip",
        "only.js.gz": gzip.compress(b"only gzip", mtime=0),
        ".env": b"SECRET=1",
        ".well-known/test.json": b"{}",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (root / unicodedata.normalize("NFD", "décomposé.txt")).write_bytes(b"nfd")
    (root / "composé.txt").write_bytes(b"nfc")
    return root


@pytest.fixture(scope="module")
def ui(module_serving: Any, root: Path) -> Any:
    return module_serving(root, proxied=False, content_security_policy="default-src 'self'")


def test_the_root_is_the_index_which_is_checked_each_time(ui: Any) -> None:
    answer = ui.ask("/")
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Content-Security-Policy") == (
        "default-src 'self'; frame-ancestors 'self'"
    )
    assert answer.header("Content-Length") == str(len(INDEX))
    assert answer.header("Accept-Ranges") == "bytes"


def test_a_hashed_file_may_be_kept_for_a_year(ui: Any) -> None:
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


def test_a_known_version_is_not_sent_again(ui: Any, root: Path) -> None:
    first = ui.ask("/app.js")
    etag, date = first.header("ETag"), first.header("Last-Modified")
    assert re.fullmatch(r'"[^"]+"', etag), "a strong ETag"
    again = ui.ask("/app.js", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    assert again.header("ETag") == etag
    assert again.header("Cache-Control") == "no-cache"
    assert again.header("Content-Type") is None
    assert ui.ask("/app.js", headers={"If-Modified-Since": date}).status == 304
    assert ui.ask("/app.js", headers={"If-None-Match": '"other"'}).status == 200
    assert ui.ask("/app.js", headers={"If-Match": '"other"'}).status == 412


def test_another_content_has_another_etag_even_with_the_same_size_and_date(
    serving: Any, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(b"version 1")
    os.utime(page, (315532800, 315532800))
    ui = serving(tmp_path)
    first = ui.ask("/")
    replacement = tmp_path / "new"
    replacement.write_bytes(b"version 2")
    os.utime(replacement, (315532800, 315532800))
    os.replace(replacement, page)
    second = ui.ask("/", headers={"If-None-Match": first.header("ETag")})
    assert (second.status, second.body) == (200, b"version 2")
    assert second.header("Last-Modified") == first.header("Last-Modified")


def test_one_range_is_a_part(ui: Any) -> None:
    answer = ui.ask("/big.bin", headers={"Range": "bytes=1000-1999"})
    assert (answer.status, answer.body) == (206, BIG[1000:2000])
    assert answer.header("Content-Range") == f"bytes 1000-1999/{len(BIG)}"
    assert answer.header("Content-Length") == "1000"
    suffix = ui.ask("/big.bin", headers={"Range": "bytes=-300000"})
    assert (suffix.status, suffix.body) == (206, BIG[-300000:])


def test_several_ranges_are_a_multipart_answer(ui: Any) -> None:
    answer = ui.ask("/big.bin", headers={"Range": "bytes=0-4,500000-700000,-3"})
    assert answer.status == 206
    kind, _, boundary = answer.header("Content-Type").partition("; boundary=")
    assert kind == "multipart/byteranges"
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.body.endswith(f"\r\n--{boundary}--\r\n".encode())
    size = len(BIG)
    parts = answer.body.split(f"\r\n--{boundary}".encode())[1:-1]
    expected = [(0, 5), (500000, 700001), (size - 3, size)]
    assert len(parts) == len(expected)
    for part, (start, stop) in zip(parts, expected, strict=True):
        head, _, body = part.partition(b"\r\n\r\n")
        assert f"Content-Range: bytes {start}-{stop - 1}/{size}".encode() in head
        assert b"Content-Type: application/octet-stream" in head
        assert body == BIG[start:stop]


def test_a_range_beyond_the_end_is_refused_with_the_size(ui: Any) -> None:
    answer = ui.ask("/app.js", headers={"Range": "bytes=500-"})
    assert answer.status == 416
    assert answer.header("Content-Range") == "bytes */14"


@pytest.mark.parametrize("value", ["lines=0-1", "bytes=a-b", "bytes=5-2"])
def test_what_is_no_range_gets_the_whole_file(ui: Any, value: str) -> None:
    assert ui.ask("/app.js", headers={"Range": value}).status == 200


def test_head_knows_no_ranges(ui: Any) -> None:
    answer = ui.ask("/big.bin", method="HEAD", headers={"Range": "bytes=0-4"})
    assert (answer.status, answer.header("Content-Length")) == (200, str(len(BIG)))


def test_if_range_gives_the_part_only_of_the_same_version(ui: Any, root: Path) -> None:
    etag = ui.ask("/big.bin").header("ETag")
    same = ui.ask("/big.bin", headers={"Range": "bytes=0-4", "If-Range": etag})
    other = ui.ask("/big.bin", headers={"Range": "bytes=0-4", "If-Range": '"other"'})
    assert (same.status, len(same.body)) == (206, 5)
    assert (other.status, len(other.body)) == (200, len(BIG))
    old = root / "old.bin"
    old.write_bytes(b"0123456789")
    os.utime(old, (1000000000, 1000000000))
    dated = {"Range": "bytes=0-4", "If-Range": formatdate(1000000000, usegmt=True)}
    assert ui.ask("/old.bin", headers=dated).status == 206


@pytest.mark.parametrize(
    ("accept", "encoding", "body"),
    [
        ("gzip, deflate, br", "br", b"brotli bytes"),
        ("gzip", "gzip", gzip.compress(b"body{}", mtime=0)),
        ("br;q=0.1, gzip", "gzip", gzip.compress(b"body{}", mtime=0)),
        ("br;q=0, gzip;q=0", None, b"body{}"),
        ("identity", None, b"body{}"),
    ],
)
def test_the_compressed_neighbour_is_sent_to_who_accepts_it(
    ui: Any, accept: str, encoding: str | None, body: bytes
) -> None:
    answer = ui.ask("/text.css", headers={"Accept-Encoding": accept})
    assert answer.body == body
    assert answer.header("Content-Encoding") == encoding
    assert answer.header("Content-Type") == "text/css; charset=utf-8"
    assert answer.header("Vary") == "Accept-Encoding"
    assert answer.header("Content-Length") == str(len(body))


def test_what_a_client_says_on_several_lines_is_all_heard(ui: Any) -> None:
    tag = ui.ask("/text.css", headers={"Accept-Encoding": "br"}).header("ETag")
    head = b"GET /text.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    accepted = b"Accept-Encoding: deflate\r\nAccept-Encoding: br\r\n"
    assert b"\r\nContent-Encoding: br\r\n" in ui.raw(head + accepted + b"\r\n")
    known = b'If-None-Match: "other"\r\nIf-None-Match: ' + tag.encode() + b"\r\n"
    assert ui.raw(head + accepted + known + b"\r\n").startswith(b"HTTP/1.1 304 ")


def test_a_target_that_names_this_machine_is_a_path_on_it(ui: Any) -> None:
    """As clients send it that take us for a proxy."""
    head = b"GET http://%b/text.css HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"
    ours = b"127.0.0.1:%d" % ui.port
    assert ui.raw(head % (ours, ours)).endswith(b"\r\n\r\nbody{}")
    assert ui.raw(head % (ours, b"evil.example")).startswith(b"HTTP/1.1 200 ")
    assert ui.raw(head % (b"evil.example", ours)).startswith(b"HTTP/1.1 403 ")
    assert ui.raw(head % (b"u@localhost", ours)).startswith(b"HTTP/1.1 403 ")


def test_each_encoding_has_its_own_etag_and_304(ui: Any) -> None:
    tags = {}
    for accept in ("identity", "gzip", "br"):
        headers = {"Accept-Encoding": accept}
        tags[accept] = ui.ask("/text.css", headers=headers).header("ETag")
        again = ui.ask("/text.css", headers=headers | {"If-None-Match": tags[accept]})
        assert (again.status, again.header("Vary")) == (304, "Accept-Encoding")
    assert len(set(tags.values())) == 3
    crossed = {"Accept-Encoding": "br", "If-None-Match": tags["gzip"]}
    assert ui.ask("/text.css", headers=crossed).status == 200


def test_a_range_is_of_the_file_as_it_is(ui: Any) -> None:
    answer = ui.ask("/text.css", headers={"Accept-Encoding": "br", "Range": "bytes=0-3"})
    assert (answer.status, answer.body) == (206, b"body")
    assert answer.header("Content-Encoding") is None
    brotli = ui.ask("/text.css", headers={"Accept-Encoding": "br"}).header("ETag")
    resumed = {"Accept-Encoding": "br", "Range": "bytes=4-", "If-Range": brotli}
    whole = ui.ask("/text.css", headers=resumed)
    assert (whole.status, whole.header("Content-Encoding")) == (200, "br")


def test_a_compressed_file_asked_for_by_name_is_a_download(ui: Any) -> None:
    answer = ui.ask("/only.js.gz", headers={"Accept-Encoding": "gzip"})
    assert answer.header("Content-Encoding") is None
    assert answer.header("Content-Type") == "application/gzip"


def test_a_file_without_neighbours_does_not_vary(ui: Any) -> None:
    assert ui.ask("/app.js", headers={"Accept-Encoding": "br"}).header("Vary") is None


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
