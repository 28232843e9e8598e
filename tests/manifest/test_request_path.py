"""The path of a health check or a stop, as it stands in a request."""

from __future__ import annotations

import pytest

from bundlevisor.manifest.format.policy import StopHttp
from bundlevisor.manifest.format.probe import Health


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/"),
        ("well", "/well"),
        ("/well?deep=1&a=%20", "/well?deep=1&a=%20"),
        ("/a b\tc", "/a%20b%09c"),
        ("/prüfung", "/pr%C3%BCfung"),
        ("/x\r\nHost: y", "/x%0D%0AHost:%20y"),
        ('/{id}|"<~>\\^`\x7f!', "/%7Bid%7D%7C%22%3C~%3E%5C%5E%60%7F!"),
        ("/page#part", "/page"),
    ],
)
def test_a_path_is_asked_for_as_a_request_line_has_it(path: str, asked: str) -> None:
    assert Health(type="http", path=path).request_path == asked
    assert StopHttp(path=path).request_path == asked
