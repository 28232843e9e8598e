from __future__ import annotations

import json
import random
import socket
from contextlib import suppress
from typing import Any, SupportsIndex

import pytest
from waitress.parser import TransferEncodingNotImplemented
from waitress.utilities import BadRequest

from bundlevisor.control.http import request_faults, request_refusals
from bundlevisor.control.http.connection import Connection
from bundlevisor.control.http.server import HttpServer
from bundlevisor.control.http.waitress_parts import Adjustments, HTTPRequestParser, ParsingError
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import HEAD, Api, read_answer, read_to_end, status_of
from tests.waiting import wait_until

LAST = b"Connection: close\r\n\r\n"
FAULTS = {
    request_faults.NO_END,
    request_faults.LONE_END,
    request_faults.FOLDED_FIRST,
    request_faults.NO_HEADER,
    request_faults.NO_REQUEST_LINE,
    request_faults.SMALL_METHOD,
    request_faults.BAD_TARGET,
    request_faults.NO_LENGTH,
}
"""All but the sentence for what no rule of ours finds."""
CHUNKED = b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n" + LAST


def test_pipelined_requests_are_answered_in_their_order(api: Api) -> None:
    asked = b"".join(
        b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"\r\n"
        for path in (b"/healthz", b"/readyz?wait=0", b"/ports", b"/status")
    )
    answer = api.raw(asked + b"GET /telemetry HTTP/1.1\r\n" + HEAD + LAST)
    assert answer.count(b"HTTP/1.1 200 OK") == 5
    marks = [b'"status":"ok"', b'"details"', b'"apiBase"', b'"instance_id"', b'"upload_url"']
    assert [answer.index(mark) for mark in marks] == sorted(answer.index(mark) for mark in marks)


class Lingering(Connection):
    """Who has answered a request goes on only when the next one had every chance to begin."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.requests = Answered(self)


class Answered(list[HTTPRequestParser]):
    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def pop(self, index: SupportsIndex = -1) -> HTTPRequestParser:
        answered = super().pop(index)
        self._connection.server.pull_trigger()
        with suppress(AssertionError):
            wait_until(lambda: bool(self), 0.5, "the next request")
        return answered


def test_each_request_is_answered_once_though_it_comes_as_the_one_before_is_done(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpServer, "channel_class", Lingering)
    asked = b"GET /secrets HTTP/1.1\r\n" + HEAD
    answer = api.raw((asked + b"\r\n") * 3 + asked + LAST)
    assert answer.count(b"HTTP/1.1 200 OK") == 4


def test_headers_and_body_come_as_one(api: Api) -> None:
    with api.connect() as client:
        for path in (b"/secrets", b"/readyz", b"/status"):
            client.sendall(b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
            head, _, body = client.recv(1 << 20).partition(b"\r\n\r\n")
            assert b"Content-Length: %d\r\n" % len(body) in head


def test_a_client_that_has_sent_all_it_will_is_still_answered(api: Api) -> None:
    with api.connect() as client:
        client.sendall(b"GET /readyz HTTP/1.1\r\n" + HEAD + b"\r\n")
        client.shutdown(socket.SHUT_WR)
        assert status_of(read_to_end(client)) == 200


def test_expect_continue_is_answered_before_the_body(api: Api) -> None:
    body = b'{"secrets": {"session": "x"}}'
    with api.connect() as client:
        client.sendall(
            b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Expect: 100-continue\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert status_of(read_answer(client)) == 200


def test_a_chunked_body_is_taken(api: Api, runtime: FakeRuntime) -> None:
    first, second = b'{"secrets": {"ses', b'sion": "chunked"}}'
    answer = api.raw(
        b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n"
        b"Content-Type: application/json\r\n"
        + LAST
        + b"%x\r\n%s\r\n%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(first), first, len(second), second)
    )
    assert status_of(answer) == 200
    assert runtime.stored["session"] == "chunked"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x5\r\n",
    ],
)
def test_a_body_whose_length_can_be_read_in_two_ways_is_400(
    api: Api, runtime: FakeRuntime, framing: bytes
) -> None:
    smuggled = b"0\r\n\r\nPOST /shutdown HTTP/1.1\r\n" + HEAD + b"\r\n"
    answer = api.raw(b"POST /secrets HTTP/1.1\r\n" + HEAD + framing + b"\r\n" + smuggled)
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.") == 1
    assert runtime.shutdowns == []


def test_http_1_0_with_a_transfer_encoding_is_400(api: Api) -> None:
    answer = api.raw(
        b"POST /secrets HTTP/1.0\r\n" + HEAD + b"Connection: keep-alive\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert status_of(answer) == 400


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"get /healthz HTTP/1.1\r\n" + HEAD + LAST, 400),
        (b"GET /healthz HTTP/1.1\r\nBroken Header: x\r\n" + HEAD + LAST, 400),
        (b"GET /healthz HTTP/1.1\r\nAuthorization: Bearer hidden\nX: y\r\n" + LAST, 400),
        (b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: gzip\r\n" + LAST, 501),
        (
            b"POST /secrets HTTP/1.1\r\n"
            + HEAD
            + b"Transfer-Encoding: chunked\r\n"
            + LAST
            + b"zz\r\n",
            400,
        ),
        (b"FROB /healthz HTTP/1.1\r\n" + HEAD + LAST, 400),
        (b"OPTIONS * HTTP/1.1\r\n" + HEAD + LAST, 404),
        (b"GET /../etc/passwd HTTP/1.1\r\n" + HEAD + LAST, 404),
        (b"GET /%00%ff HTTP/1.1\r\n" + HEAD + LAST, 404),
        (b"GET /services/../healthz HTTP/1.1\r\n" + HEAD + LAST, 404),
    ],
)
def test_what_is_no_good_request_has_a_sane_answer(api: Api, request_: bytes, status: int) -> None:
    answer = api.raw(request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == status
    assert b"Content-Type: application/json" in head
    assert b"Cache-Control: no-store" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b'"code":"' in body
    assert b"hidden" not in body


@pytest.mark.parametrize(
    ("request_", "status", "sentence"),
    [
        (b"GET healthz HTTP/1.1\r\n" + HEAD + LAST, 400, "the request target does not begin"),
        (b"GET * HTTP/1.1\r\n" + HEAD + LAST, 400, "the request target does not begin"),
        (b"GET ftp://127.0.0.1/healthz HTTP/1.1\r\n" + HEAD + LAST, 400, "the request target"),
        (b"GET //healthz HTTP/1.1\r\n" + HEAD + LAST, 404, "there is nothing at //healthz;"),
        (b"GET /%2Fhealthz HTTP/1.1\r\n" + HEAD + LAST, 404, "there is nothing at //healthz;"),
        (b"GET /healthz HTTP/9.9\r\n" + HEAD + LAST, 400, "the request line does not end with"),
        (b"GET /healthz HTTP/1.2\r\n" + HEAD + LAST, 400, "the request line does not end with"),
        (b"GET /healthz\r\n" + HEAD + LAST, 400, "the request line does not end with HTTP/1.1"),
        (b"GET\r\n\r\n", 400, "the request line is not of the form 'GET /path HTTP/1.1'"),
        (b"get /healthz HTTP/1.1\r\n" + HEAD + LAST, 400, "the method is not written in capital"),
        (b"FROB /healthz HTTP/1.1\r\n" + HEAD + LAST, 400, "the method is none of HTTP's"),
        (b"GET http://[ HTTP/1.1\r\n" + HEAD + LAST, 400, "the request target is not valid"),
        (b"GET /ports HTTP/1.1\r\nA B: x\r\n" + HEAD + LAST, 400, "a header is not of the form"),
        (b"GET /ports HTTP/1.1\r\nA: hidden\nB: y\r\n" + LAST, 400, "a line ends with a lone CR"),
        (b"GET /ports HTTP/1.1\r\n A: hidden\r\n" + HEAD + LAST, 400, "the first header begins"),
        (
            b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Content-Length: x\r\n" + LAST,
            400,
            "the Content",
        ),
        (b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: x\r\n" + LAST, 501, "the Tr"),
        (CHUNKED + b"zz\r\n", 400, "a chunk of the body does not begin with its size"),
        (CHUNKED + b"2\r\nxxyyyy\r\n", 400, "a chunk of the body does not end where its size says"),
        (
            b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Content-Length: 2000000\r\n" + LAST,
            413,
            "the body is larger than 1 MiB",
        ),
        (
            b"GET /ports HTTP/1.1\r\nA: " + b"a" * 20000 + b"\r\n" + LAST,
            431,
            "the request line and the headers are larger than 16 KiB",
        ),
    ],
)
def test_every_refusal_is_one_of_our_sentences(
    api: Api, request_: bytes, status: int, sentence: str
) -> None:
    answer = api.raw(request_)
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (status_of(answer), set(document)) == (status, {"error", "code"})
    assert document["error"].startswith(sentence)


def test_two_slashes_do_not_open_what_needs_no_token(api: Api) -> None:
    answer = api.raw(b"GET //healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + LAST)
    assert status_of(answer) == 401


@pytest.mark.parametrize("code", [400, 413, 431, 500, 501, 599])
def test_no_sentence_of_waitress_is_passed_on(code: int) -> None:
    theirs = BadRequest('Something "hidden"')
    theirs.code = code
    assert "hidden" not in request_refusals.sentence(theirs)


def test_whatever_waitress_refuses_in_a_head_is_found() -> None:
    """No rule of its is without one of ours that says what is wrong."""
    pieces = (
        *(b"GET ", b"get ", b"/a", b"//", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r", b" "),
        *(b"\t", b"A: b", b"Content-Length: ", b"content-length:", b"5", b"x", b"Host: h", b"\xe4"),
        *(b"\x00", b":", b"B_C: 1", b"Transfer-Encoding: chunked", b"\x85", b"?q", b"\x0b", b"+"),
    )
    rng, found = random.Random(7), set()
    for _ in range(20_000):
        line = rng.choice((b"GET /a HTTP/1.1\r\n", b""))
        end = rng.choice((b"\r\n", b""))
        head = line + b"".join(rng.choices(pieces, k=rng.randint(1, 8))) + end
        try:
            HTTPRequestParser(Adjustments()).parse_header(head)
        except ParsingError:
            found.add(request_faults.fault(head))
        except (ValueError, TransferEncodingNotImplemented):
            continue
    assert found == FAULTS


def test_http_1_0_keeps_the_connection_only_when_asked(api: Api) -> None:
    answer = api.raw(b"GET /healthz HTTP/1.0\r\n" + HEAD + b"\r\n")
    assert status_of(answer) == 200
    with api.connect() as client:
        for _ in range(2):
            client.sendall(b"GET /healthz HTTP/1.0\r\n" + HEAD + b"Connection: keep-alive\r\n\r\n")
            assert status_of(read_answer(client)) == 200


def test_a_stream_to_http_1_0_ends_with_the_connection(api: Api, runtime: FakeRuntime) -> None:
    with api.connect() as client:
        client.sendall(b"GET /logs/follow?serviceId=db HTTP/1.0\r\n" + HEAD + b"\r\n")
        assert status_of(client.recv(65536)) == 200
        runtime.logs.subscriptions[0].queue.put(b"hello\n")
        runtime.logs.subscriptions[0].queue.put(None)
        assert read_to_end(client) == b"hello\n"


def test_options_answers_what_is_allowed_and_no_cors(api: Api) -> None:
    reply = api.ask("OPTIONS", "/readyz")
    assert reply.status == 200
    assert "GET" in reply.headers["Allow"]
    preflight = api.ask(
        "OPTIONS",
        "/shutdown",
        token=None,
        Origin="http://localhost:3000",
        Access_Control_Request_Method="POST",
    )
    assert preflight.refusal == (401, "unauthorized")
