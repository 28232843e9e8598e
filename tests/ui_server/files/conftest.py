"""A site with one file of each kind."""

from __future__ import annotations

import gzip
import unicodedata
from pathlib import Path
from typing import Any

import pytest

BIG = bytes(range(256)) * 4096  # 1 MiB: sent by sendfile
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
