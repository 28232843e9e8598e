"""Caching, content types and what is passed on: tables over the pure rules."""

from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.files.mime import content_type, own_encoding
from bundlevisor.actors.ui_server.files.static import policy
from bundlevisor.actors.ui_server.http.caching import ASK, FOREVER, cache_control
from bundlevisor.actors.ui_server.metadata import read
from bundlevisor.actors.ui_server.server.dispatch import is_proxied


@pytest.mark.parametrize(
    "name",
    [
        "app.3f2a91bc.js",
        "app-3f2a91bc.css",
        "main.3f2a91bc.chunk.js",
        "logo.5d5d9eefa31e5e13a6610d9fa7a283bb.svg",
        "app.3f2a91bc.js.map",
        "index-B6d0mXyz.js",
        "index-D1wrgTda.js",
        "chunk-5JX2HBQD.js",
        "chunk-HB5JXQD2.js",
        "inter-latin-C4hJZR5_.woff2",
        "_app-9f8e7d6c5b4a3f2e.js",
    ],
)
def test_a_hashed_name_is_kept_for_ever(name: str) -> None:
    assert cache_control(name) == FOREVER


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "index.3f2a91bc.html",
        "app.js",
        "sw.js",
        "my-component.js",
        "jquery-3.7.1.min.js",
        "log.20240131.json",
        "report-20240131.csv",
        "photo-iPhone15.png",
        "manual-Section2.js",
        "three-2DCanvas.js",
        "chunk-RELEASE2.css",
        "bundle.deadbeef.js",
        "manifest.webmanifest",
        "app.3f2a91b.js",
    ],
)
def test_a_name_without_a_hash_is_checked_each_time(name: str) -> None:
    assert cache_control(name) == ASK


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.MJS", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.svg", "image/svg+xml"),
        ("a.json", "application/json"),
        ("a.js.map", "application/json"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.tar.gz", "application/gzip"),
        ("LICENSE", "application/octet-stream"),
        ("js", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
    ],
)
def test_types_come_from_a_fixed_table(name: str, kind: str) -> None:
    assert content_type(name) == kind


def test_svgz_is_svg_that_is_compressed_already() -> None:
    assert (content_type("a.svgz"), own_encoding("a.svgz")) == ("image/svg+xml", "gzip")
    assert own_encoding("a.svg") == ""


@pytest.mark.parametrize(
    ("own", "whole"),
    [
        ("", "frame-ancestors 'self'"),
        ("default-src 'self';", "default-src 'self'; frame-ancestors 'self'"),
        ("Frame-Ancestors 'self' app:", "Frame-Ancestors 'self' app:"),
    ],
)
def test_nobody_else_frames_a_page_unless_its_policy_says_so(own: str, whole: str) -> None:
    assert policy(own) == whole


@pytest.mark.parametrize(
    ("path", "proxied"),
    [
        ("/api", True),
        ("/api/", True),
        ("/api/notes", True),
        ("/%61pi/notes", True),
        ("/ws", True),
        ("/ws/room", True),
        ("/apis", False),
        ("/API", False),
        ("/docs/api", False),
        ("//api", False),
        ("/", False),
        ("/wsx", False),
    ],
)
def test_only_api_and_ws_are_passed_on(path: str, proxied: bool) -> None:
    assert is_proxied(path) is proxied


def test_null_in_metadata_counts_as_left_out() -> None:
    names = ("content_security_policy", "connect_timeout_ms", "allowed_origins")
    assert read(dict.fromkeys(names)) == read({})


def test_metadata_sets_the_policy_and_the_time_outs() -> None:
    found = read({"content_security_policy": "default-src 'self'", "run_mode": "on_demand"})
    assert found.content_security_policy == "default-src 'self'"
    assert (found.connect_timeout_ms, found.response_timeout_ms) == (5000, 60000)
    assert found.max_connections == 1000


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"content_security_policy": 5}, "content_security_policy"),
        ({"content_security_policy": "a\r\nSet-Cookie: x"}, "content_security_policy"),
        ({"response_timeout_ms": 0}, "response_timeout_ms"),
        ({"max_connections": 0}, "max_connections"),
        ({"allowed_origins": "https://a"}, "allowed_origins"),
    ],
)
def test_bad_metadata_is_refused_with_the_field(metadata: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        read(metadata)
