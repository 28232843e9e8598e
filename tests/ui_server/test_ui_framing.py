"""Where a request ends is never in doubt: what frames its body is understood, or refused."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.http.request_reader import (
    LONGEST_HEAD,
    BadRequestError,
    RequestReader,
)
from tests.ui_server.conftest import until
from tests.ui_server.raw_api import RawApi

HOST = b"Host: localhost\r\n"
POST = b"POST /api/x HTTP/1.1\r\n" + HOST
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"


class Listening(RawApi):
    """An API that notes every byte it is sent, and answers a head after which nothing is missing.

    It takes ``last`` for the end of what it is to be told.
    """

    def __init__(self, last: bytes) -> None:
        self.heard = b""
        self.ended = False
        self._last = last
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Note what comes."""
        while piece := client.recv(65536):
            self.heard += piece
            if self.heard.endswith(self._last):
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.ended = True


@pytest.fixture
def api_of(request: pytest.FixtureRequest) -> Iterator[Any]:
    made: list[Listening] = []

    def make(last: bytes) -> Listening:
        made.append(Listening(last))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("codings", "status"),
    [
        (b"Transfer-Encoding: xchunked", b"501"),
        (b"Transfer-Encoding: identity", b"501"),
        (b"Transfer-Encoding: gzip, chunked", b"501"),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", b"501"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"400"),
        (b"Transfer-Encoding: ,chunked", b"501"),
        (b'Transfer-Encoding: "chunked"', b"501"),
        (b"Transfer-Encoding:", b"501 400"),  # httptools refuses it itself from 0.9 on
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"400"),
    ],
)
def test_a_coding_that_is_not_chunked_is_refused_and_the_api_not_asked(
    serving: Any, api_of: Any, site: Path, codings: bytes, status: bytes
) -> None:
    api = api_of(b"0\r\n\r\n")
    ui = serving(site, upstream=api.port)
    body = b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert ui.raw(POST + codings + body).split()[1] in status.split()
    assert api.heard == b""


def test_http_1_0_has_no_chunks(serving: Any, api_of: Any, site: Path) -> None:
    api = api_of(b"0\r\n\r\n")
    ui = serving(site, upstream=api.port)
    old = POST.replace(b"1.1", b"1.0") + CHUNKED + b"0\r\n\r\n"
    assert ui.raw(old).split()[1] == b"400"
    assert api.heard == b""


@pytest.mark.parametrize(
    "nonsense",
    [b"-1\r\na", b"0x1\r\na\r\n", b"1\na\n", b"1 \r\na\r\n", b"1;x\na\r\n", b"1\r\nab\r\n"],
)
def test_chunks_that_are_none_are_refused_and_the_api_not_asked(
    serving: Any, api_of: Any, site: Path, nonsense: bytes
) -> None:
    api = api_of(b"never")
    ui = serving(site, upstream=api.port)
    assert ui.raw(POST + CHUNKED + nonsense + b"0\r\n\r\n").split()[1] == b"400"
    assert api.heard == b""


def test_a_body_that_turns_into_nonsense_ends_what_has_begun_with_it(
    serving: Any, api_of: Any, site: Path
) -> None:
    api = api_of(b"never")
    ui = serving(site, upstream=api.port)
    with ui.connect() as client:
        client.sendall(POST + CHUNKED + b"3\r\nabc\r\n")
        until(lambda: b"abc" in api.heard, "the API has the first piece")
        client.sendall(b"zz\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
        assert client.recv(1000) == b""
    until(lambda: api.ended, "the API is told that no more comes")
    assert not api.heard.endswith(b"0\r\n\r\n"), "and does not take it for all"


def test_nonsense_in_a_body_that_nobody_wanted_ends_the_connection(
    serving: Any, site: Path
) -> None:
    ui = serving(site)
    with ui.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HOST + CHUNKED)
        assert client.recv(1000).startswith(b"HTTP/1.1 405")
        client.sendall(b"zz\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert client.recv(1000) == b""


def test_a_length_that_connection_names_stays_with_its_content(
    serving: Any, api_of: Any, site: Path
) -> None:
    """Or the content would be the next request, which nobody has looked at."""
    inner = b"GET /api/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    api = api_of(inner)
    ui = serving(site, upstream=api.port)
    length = b"Content-Length: %d\r\n" % len(inner)
    sent = POST + b"Connection: close, Content-Length\r\n" + length + b"\r\n" + inner
    assert ui.raw(sent).split()[1] == b"200"
    assert length in api.heard


def test_no_websocket_and_no_100_for_http_1_0(serving: Any, api_of: Any, site: Path) -> None:
    api = api_of(b"\r\n\r\n")
    ui = serving(site, upstream=api.port)
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert ui.raw(b"GET /ws HTTP/1.0\r\n" + HOST + upgrade).split()[1] == b"200"
    assert b"Upgrade" not in api.heard
    expecting = b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
    answer = ui.raw(POST.replace(b"1.1", b"1.0") + expecting)
    assert answer.startswith(b"HTTP/1.0 200")


def test_a_fragment_is_no_part_of_a_request(serving: Any, api_of: Any, site: Path) -> None:
    api = api_of(b"\r\n\r\n")
    ui = serving(site, upstream=api.port)
    for target in (b"/#top", b"/api/x#top", b"/?q#top"):
        assert ui.raw(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n").split()[1] == b"400"
    assert api.heard == b""


def test_hundreds_of_upgrades_at_once_are_requests_like_others(serving: Any, site: Path) -> None:
    ui = serving(site)
    one = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    answers = ui.raw(one * 1500 + b"GET / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert answers.count(b"HTTP/1.1 200") == 1501


def reading() -> RequestReader:
    found: list[Request] = []
    return RequestReader(found.append, lambda held: None, lambda: None)


@pytest.mark.parametrize("endless", [b"0\r\nX: ", b"3;"], ids=["trailer", "extension"])
@pytest.mark.parametrize("head", [POST, POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
def test_what_frames_a_body_has_an_end(head: bytes, endless: bytes) -> None:
    reader = reading()
    reader.feed(head + CHUNKED + b"3\r\nabc\r\n" + endless)
    for _ in range(LONGEST_HEAD // 1000):
        reader.feed(b"a" * 1000)
    with pytest.raises(BadRequestError) as refused:
        reader.feed(b"a" * 1000)
    assert refused.value.status == 431


def test_trailers_are_read_and_not_passed_on(serving: Any, api_of: Any, site: Path) -> None:
    api = api_of(b"0\r\n\r\n")
    ui = serving(site, upstream=api.port)
    trailer = b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert ui.raw(POST + CLOSE + b"Trailer: X-Sum\r\n" + CHUNKED + trailer).split()[1] == b"200"
    assert b"X-Sum" not in api.heard
