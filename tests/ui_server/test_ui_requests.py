"""From bytes to requests: what stands between them, and what only looks like an upgrade."""

from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.http.request_reader import (
    LONGEST_HEAD,
    MOST_FIELDS,
    BadRequestError,
    RequestReader,
)

WEBSOCKET = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Read:
    """The requests that are found in what is fed, each with what is there of its body."""

    def __init__(self) -> None:
        self.found: list[Request] = []
        self.reader = RequestReader(self.found.append, lambda held: None, lambda: None)

    def feed(self, data: bytes, size: int) -> None:
        for start in range(0, len(data), size):
            self.reader.feed(data[start : start + size])

    @property
    def seen(self) -> list[tuple[str, str, bytes | None]]:
        return [
            (one.method, one.target, None if one.body is None else b"".join(one.body._pieces))
            for one in self.found
        ]


SIZES = pytest.mark.parametrize("size", [1, 7, 100_000])


@SIZES
def test_fields_after_a_body_in_chunks_belong_to_no_request(size: int) -> None:
    read = Read()
    read.feed(
        b"POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
        b"X-Late: 1\r\n\r\nGET /2 HTTP/1.1\r\nHost: y\r\n\r\n",
        size,
    )
    assert read.seen == [("POST", "/1", b"abc"), ("GET", "/2", None)]
    assert [list(one.headers.items()) for one in read.found] == [
        [("Host", "x"), ("Transfer-Encoding", "chunked")],
        [("Host", "y")],
    ]


@SIZES
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_body_after_an_upgrade_that_is_not_passed_on_is_a_body(size: int, method: bytes) -> None:
    """curl and Java offer h2c with every request."""
    head = b" /1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    following = b"GET /3 HTTP/1.1\r\n\r\n"
    counted, chunked, none = Read(), Read(), Read()
    counted.feed(method + head + b"Content-Length: 3\r\n\r\nabc" + following, size)
    chunked.feed(
        method + head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + following, size
    )
    none.feed(method + head + b"\r\n" + following, size)
    for read in (counted, chunked):
        assert read.seen == [(method.decode(), "/1", b"abc"), ("GET", "/3", None)]
        assert read.found[0].body is not None
        assert read.found[0].body.complete
        assert not read.found[0].upgrade
    assert [target for _, target, _ in none.seen] == ["/1", "/3"]


@SIZES
def test_what_follows_the_request_for_a_websocket_waits_for_the_answer(size: int) -> None:
    read = Read()
    read.feed(WEBSOCKET + b"GET /next HTTP/1.1\r\n\r\n", size)
    assert [one.target for one in read.found] == ["/ws"]
    assert read.found[0].upgrade
    assert read.reader.raw == b"GET /next HTTP/1.1\r\n\r\n"
    read.reader.resume()
    assert [one.target for one in read.found] == ["/ws", "/next"]


def test_a_websocket_is_not_asked_for_with_a_body() -> None:
    read = Read()
    read.feed(WEBSOCKET[:-2] + b"Content-Length: 2\r\n\r\nab", 100)
    assert not read.found[0].upgrade
    assert read.seen == [("GET", "/ws", b"ab")]


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://localhost:80/a?b=c", "/a?b=c", "localhost:80"),
        (b"HTTP://LOCALHOST/a", "/a", "LOCALHOST"),
        (b"http://localhost", "/", "localhost"),
        (b"http://localhost?a=/b", "/?a=/b", "localhost"),
        (b"http://[::1]:8/a", "/a", "[::1]:8"),
        (b"/a?at=http://other/b", "/a?at=http://other/b", "named"),
    ],
)
def test_a_target_with_a_host_is_a_path_at_that_host(target: bytes, path: str, host: str) -> None:
    """RFC 9112, section 3.2.2: the Host field is not looked at then."""
    read = Read()
    read.feed(b"GET " + target + b" HTTP/1.1\r\nHOST: named\r\nA: b\r\n\r\n", 100_000)
    (request,) = read.found
    assert (request.target, request.headers.all("host")) == (path, [host])
    assert request.headers.get("Host") == host
    assert request.headers.get("a") == "b"


@pytest.mark.parametrize("fields", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_host_in_the_target_is_no_excuse_for_none_or_two(fields: bytes) -> None:
    read = Read()
    read.feed(b"GET http://localhost/ HTTP/1.1\r\n" + fields + b"\r\n", 100_000)
    assert len(read.found[0].headers.all("host")) == fields.count(b"Host")


def test_several_lines_of_a_field_are_one_list() -> None:
    """RFC 9110, section 5.3."""
    read = Read()
    read.feed(b"GET / HTTP/1.1\r\nHost: x\r\naccept: a\r\nB: 1\r\nAccept: b;q=0, c\r\n\r\n", 9)
    headers = read.found[0].headers
    assert (headers.get("ACCEPT"), headers.get("b")) == ("a, b;q=0, c", "1")
    assert headers.all("accept") == ["a", "b;q=0, c"]


def test_connect_is_a_request_after_which_the_connection_ends() -> None:
    read = Read()
    read.feed(b"CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n", 100)
    assert [(one.method, one.keep_alive) for one in read.found] == [("CONNECT", False)]


@pytest.mark.parametrize("size", [1000, 100_000])
@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * (MOST_FIELDS + 1) + b"\r\n",
    ],
)
def test_a_head_has_a_size_limit(head: bytes, size: int) -> None:
    with pytest.raises(BadRequestError) as refused:
        Read().feed(head, size)
    assert refused.value.status == 431


def test_a_head_that_never_ends_is_not_kept() -> None:
    with pytest.raises(BadRequestError) as refused:
        Read().feed(b"GET / HTTP/1.1\r\nX: " + b"a" * (LONGEST_HEAD + 2000), 1000)
    assert refused.value.status == 431


def test_the_limit_is_for_each_head_and_not_for_bodies() -> None:
    read = Read()
    body = b"x" * LONGEST_HEAD
    for _ in range(3):
        read.feed(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body, 500)
    assert [kind for kind, _, _ in read.seen] == ["POST"] * 3


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2"])
def test_another_version_than_1_1_and_1_0_is_no_request(version: bytes) -> None:
    with pytest.raises(BadRequestError) as refused:
        Read().feed(b"GET / " + version + b"\r\n\r\n", 100)
    assert refused.value.status == 400
