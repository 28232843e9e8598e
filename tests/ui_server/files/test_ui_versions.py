"""Versions, ranges and compressed neighbours of a file."""

from __future__ import annotations

import gzip
import os
import re
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.ui_server.files.conftest import BIG


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
