from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.http.negotiate import (
    accepts_html,
    choose_encoding,
    media_quality,
    prefers_html,
)

BOTH = ("br", "gzip")


@pytest.mark.parametrize(
    ("header", "available", "chosen"),
    [
        ("", BOTH, ""),
        ("gzip, deflate, br, zstd", BOTH, "br"),
        ("gzip", BOTH, "gzip"),
        ("x-gzip", BOTH, "gzip"),
        ("GZIP", BOTH, "gzip"),
        ("br", ("gzip",), ""),
        ("gzip;q=1.0, br;q=0.5", BOTH, "gzip"),
        ("gzip;q=0.5, br;q=0.5", BOTH, "br"),
        ("br;q=0, gzip", BOTH, "gzip"),
        ("br;q=0, gzip;q=0", BOTH, ""),
        ("*", BOTH, "br"),
        ("*;q=0", BOTH, ""),
        ("br;q=0, *", BOTH, "gzip"),
        ("identity", BOTH, ""),
        ("identity;q=1, br;q=0.5", BOTH, ""),
        ("identity;q=0.5, gzip;q=0.8", BOTH, "gzip"),
        ("identity, br", BOTH, "br"),
        ("br;q=nonsense, gzip", BOTH, "gzip"),
        ("br ; q=0.1 , gzip ; q=0.9", BOTH, "gzip"),
        ("br;level=3;q=0.1, gzip;level=9;q=0.9", BOTH, "gzip"),
        ("brotli, gzipped", BOTH, ""),
        ("gzip, br;q=1", BOTH, "br"),
        ("br;q=0.5=1, gzip;q=0.1", BOTH, "gzip"),
    ],
)
def test_the_encoding_with_the_best_q_value_is_chosen(
    header: str, available: tuple[str, ...], chosen: str
) -> None:
    assert choose_encoding(header, available) == chosen


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, True),
        ("", True),
        ("*/*", True),
        ("text/*", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("application/json", False),
        ("text/html;q=0, */*", False),
        ("image/avif,image/webp", False),
    ],
)
def test_a_page_is_an_answer_where_html_is_acceptable(accept: str | None, html: bool) -> None:
    assert accepts_html(accept) is html


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.5", False),
        ("text/html;q=0.5", True),
        ("application/xhtml+xml", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html, application/json", True),
    ],
)
def test_an_error_is_a_page_only_where_html_is_asked_for_by_name(
    accept: str | None, html: bool
) -> None:
    assert prefers_html(accept) is html


def test_the_most_specific_range_decides() -> None:
    assert media_quality("text/html;q=0.2, text/*;q=0.9, */*", "text/html") == 0.2
    assert media_quality("text/*;q=0.9, */*;q=0.1", "text/html") == 0.9
    assert media_quality("image/*", "text/html") == 0.0
    assert media_quality("text/html;q=7", "text/html") == 1.0
