"""What an HTTP answer says about a service's health, and when it is asked for: rules alone."""

from __future__ import annotations

import pytest

from bundlevisor.actors.probes.http_verdict import BODY_LIMIT, judge_body, judge_response
from bundlevisor.actors.probes.schedule import Pace, ProbeStats, asked_at
from bundlevisor.actors.probes.sd_notify import LONGEST_S, parse
from bundlevisor.manifest.format.probe import Health


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.0 299 Fine\r\n\r\n", ""),
        (b"HTTP/1.1 500 Oops\r\n\r\n", "HTTP 500"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "HTTP 302"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"status":"ok"}', ""),
        (b'HTTP/1.1 200 OK\r\n\r\n{"status":"Unhealthy"}', "its health says status 'Unhealthy'"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"readiness":false}', "its health says readiness false"),
        (
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b'11\r\n{"status":"down"}\r\n0\r\n\r\n'
            ),
            "its health says status 'down'",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the answer is not HTTP"),
        (b"garbage", "the answer is not HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "the answer is not HTTP"),
        (b"", "the connection was closed unanswered"),
    ],
)
def test_an_answer_means_what_the_format_says(response: bytes, verdict: str) -> None:
    assert judge_response(response, ended=True) == verdict


@pytest.mark.parametrize(
    "body",
    [b"[]", b'"down"', b"{not json", b"", b'{"status": 1}', b'{"status": ' + b"[" * 5000],
)
def test_a_body_that_says_nothing_known_is_well(body: bytes) -> None:
    assert judge_body(body) == ""


def test_more_is_read_until_the_answer_is_whole() -> None:
    assert judge_response(b"HTTP/1.1 200 OK\r\nContent-Le", ended=False) is None
    assert judge_response(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a"', ended=False) is None


ILL = b'{"readiness": false}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("chunks", "verdict"),
    [
        (b'8;a=b\r\n{"status\r\na\r\n": "down"}\r\n0\r\n\r\n', "its health says status 'down'"),
        (b'12\r\n{"status": "down"}\r\n', "its health says status 'down'"),
        (b'10\r\n{"status":  "dow\r\n3\r\nn"}\r\n', "its health says status 'down'"),
        (b'1\r\n{\r\n10\r\n"status":"down"}\r\n', "its health says status 'down'"),
        (b'0\r\n\r\n11\r\n{"status":"down"}\r\n', ""),
        (b'zz\r\n{"status": "down"}\r\n', ""),
        (b'-1\r\n{"status": "down"}\r\n', ""),
        (b"", ""),
    ],
    ids=["two", "no last one", "sixteen", "one", "behind the end", "no number", "negative", "none"],
)
def test_a_body_in_chunks_is_read_as_far_as_it_is_one(chunks: bytes, verdict: str) -> None:
    assert judge_response(CHUNKED + chunks, ended=True) == verdict


@pytest.mark.parametrize(
    ("received", "verdict"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b", None),
        (b"HTTP/1.1 200 OK\r\n\r\n{", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\ncontent-length: 1\r\n\r\n" + ILL,
            "",
        ),
        (b"HTTP/1.1 205 Reset\r\nContent-Length: 9\r\n\r\n", ""),
        (CHUNKED + b"2\r\nok\r\n", None),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nok", ""),
        (CHUNKED + b"14\r\n" + ILL + b"\r\n0\r\n\r\n", "its health says readiness false"),
        (CHUNKED + b"20\r\nabcdefgh0\r\n\r\nijklmnop", None),
        (CHUNKED + b"20\r\nabcdefgh0\r\n\r\nijk", None),
        (b"HTTP/1.1 204\r\n\r\n", ""),
        (b"HTTP/1.1\t200 OK\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 404 No\r\n\r\n", "HTTP 404"),
        (b"HTTP/1.1 101 Other\r\n\r\n", "HTTP 101"),
        (b"HTTP/1.1 099 No\r\n\r\n", "HTTP 99"),
        (b"HTTP/1.1 100 Go on\r\n\r\n", None),
        (b"HTTP/1.1 199 Soon\r\n\r\nHTTP/1.1 204 Fine\r\n\r\n", ""),
        (b"HTTP/1.1 100\r\n\r\nHTTP/1.1 103\r\nA: b\r\n\r\nHTTP/1.1 500 No\r\n\r\n", "HTTP 500"),
        (b"HTTP/1.1 100\r\n\r\n" * (BODY_LIMIT // 16 + 1), "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", ""),
        (b"HTTP/1.1 200 OK\nContent-Length: 3\r\n\nok", None),
        (b"HTTP/1.1 200 OK\nContent-Length: 20\n\r\n" + ILL, "its health says readiness false"),
        (b"HTTP/1.1 204\n\n\r\n\r\n", ""),
        (b"HTTP/1.1 300 No\r\n\r\n", "HTTP 300"),
        (b"HTTP/1.1\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 " + b"9" * 19 + b" OK\r\n\r\n", f"HTTP {'9' * 19}"),
        (b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}", None),
        (b"A" * BODY_LIMIT, None),
        (b"A" * (BODY_LIMIT + 1), "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n{" + b" " * (BODY_LIMIT - 2), None),
        (b"HTTP/1.1 200 OK\r\n\r\n{" + b" " * (BODY_LIMIT - 1), ""),
    ],
)
def test_nothing_is_said_before_the_answer_is_whole_or_long_enough(
    received: bytes, verdict: str | None
) -> None:
    assert judge_response(received, ended=False) == verdict


@pytest.mark.parametrize("word", ["unhealthy", "Failed", "ERROR", "down"])
def test_a_service_that_calls_itself_ill_is(word: str) -> None:
    assert judge_body(f' {{"status": "{word}"}}'.encode()) == f"its health says status {word!r}"


@pytest.mark.parametrize(
    ("due", "interval", "expected"),
    [(10.01, 2, 10.25), (10.25, 2, 10.25), (10.01, 0.08, 10.01), (10.001, 0.08, 10.01)],
)
def test_regular_checks_are_asked_together_and_a_little_late(
    due: float, interval: float, expected: float
) -> None:
    assert asked_at(due, interval) == pytest.approx(expected)


def test_who_is_well_is_asked_more_and_more_rarely_unless_the_bundle_says_how_often() -> None:
    health = Health(type="tcp")
    pace, waits = Pace(health.interval, health.widest_interval), [health.interval]
    for _ in range(5):
        waits.append(pace.after(waits[-1], ""))
    assert waits == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert pace.after(5.0, "503") == 0.5
    own = Health(type="tcp", interval_ms=500)
    assert Pace(own.interval, own.widest_interval).after(0.5, "") == 0.5


def test_checks_are_counted() -> None:
    stats = ProbeStats()
    assert (stats.count, stats.failed, stats.seconds_sum, stats.seconds_last) == (0, 0, 0.0, 0.0)
    for seconds, failed in ((0.25, True), (0.25, False), (0.5, True)):
        stats.add(seconds, failed=failed)
    assert (stats.count, stats.failed, stats.seconds_sum, stats.seconds_last) == (3, 2, 1.0, 0.5)


def test_a_datagram_is_lines_with_numbers_of_twenty_digits_at_most() -> None:
    assert parse(b"STATUS=a b\tc\nREADY=1").status == b"a b\tc"
    assert parse(b"WATCHDOG_USEC=" + b"1" * 20).watchdog_s == LONGEST_S
    assert parse(b"WATCHDOG_USEC=" + b"1" * 21).watchdog_s is None
