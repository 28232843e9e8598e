"""What is said of the head of a request that is not valid HTTP: each rule, in their order."""

from __future__ import annotations

import pytest

from bundlevisor.control.http import request_faults as faults

GET = b"GET /a HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (b"", faults.NO_END),
        (b"GET /a HTTP/1.1\n", faults.NO_END),
        (b"GET /a\rb HTTP/1.1\r\n", faults.LONE_END),
        (b"GET /a\nb HTTP/1.1\r\n", faults.LONE_END),
        (GET + b"A: b\nC: d\r\n", faults.LONE_END),
        (GET + b" A: b\nC: d\r\n", faults.LONE_END),
        (GET + b"A: b\r\nC: d\rE: f\r\n", faults.LONE_END),
        (GET + b" A: b\r\n", faults.FOLDED_FIRST),
        (GET + b"\tA: b\r\n", faults.FOLDED_FIRST),
        (b" GET /a HTTP/1.1\r\nA: b\r\n", faults.NO_REQUEST_LINE),
        (GET + b"A\r\n", faults.NO_HEADER),
        (GET + b"A : b\r\n", faults.NO_HEADER),
        (GET + b": b\r\n", faults.NO_HEADER),
        (GET + b"A: b\x00\r\n", faults.NO_HEADER),
        (GET + b"A: b\x7f\r\n", faults.NO_HEADER),
        (GET + b"A: b\r\n c\x00\r\n", faults.NO_HEADER),
        (b"GET /a HTTP/1.1 x\r\nA\r\n", faults.NO_HEADER),
        (b"GET\r\n", faults.NO_REQUEST_LINE),
        (b"GET  /a HTTP/1.1\r\n", faults.NO_REQUEST_LINE),
        (b"GET /a b HTTP/1.1\r\n", faults.NO_REQUEST_LINE),
        (b"GET /a HTTP/11\r\n", faults.NO_REQUEST_LINE),
        (b"G(T /a HTTP/1.1\r\n", faults.NO_REQUEST_LINE),
        (b"get /a HTTP/1.1\r\n", faults.SMALL_METHOD),
        (b"Get /\xe4\r\nContent-Length: x\r\n", faults.SMALL_METHOD),
        (b"GET /\xe4 HTTP/1.1\r\n", faults.BAD_TARGET),
        (b"GET /\xe4 HTTP/1.1\r\nContent-Length: x\r\n", faults.BAD_TARGET),
        (b"GET //\xe4 HTTP/1.1\r\n", faults.UNREADABLE),
        (GET + b"Content-Length: x\r\n", faults.NO_LENGTH),
        (GET + b"content-length:\r\n", faults.NO_LENGTH),
        (GET + b"CONTENT-LENGTH: +5\r\n", faults.NO_LENGTH),
        (GET + b"Content-Length: 5, 5\r\n", faults.NO_LENGTH),
        (GET + b"Content-Length: 5:6\r\n", faults.NO_LENGTH),
        (GET + b"Content-Length: X5X\r\n", faults.NO_LENGTH),
        (GET + b"Content-Length: 5\r\nContent-Length: 5\r\n", faults.NO_LENGTH),
        (GET + b"Content-Length: 5\r\n\t6\r\n", faults.NO_LENGTH),
        (GET + b"Content-Length:\t 5 \t\r\n", faults.UNREADABLE),
        (GET + b"Content-Length: 5\r\nA: x\r\n", faults.UNREADABLE),
        (b"GET /a \r\n", faults.UNREADABLE),
        (GET + b"A: b\r\n\tc:\r\n d\r\nE!#$%&'*+-.^_`|~9: \t\x80\xff~\r\n", faults.UNREADABLE),
        (b"M-SEARCH * HTTP/1.0\r\n", faults.UNREADABLE),
    ],
)
def test_the_first_rule_that_is_broken_is_said(head: bytes, fault: str) -> None:
    assert faults.fault(head) == fault
