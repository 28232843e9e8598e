"""Health is slow, wrong, dripping or flapping in the manner asked for."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import wait_until
from tests.program_by_hand import started
from tests.waiting import WITHIN


def test_health_turns_slow_after_the_quick_answers(tmp_path: Path) -> None:
    with started(tmp_path, "health_slow", quick=1, health_ms=60_000) as it:
        it.await_event("listening")
        assert it.health() == 200
        with pytest.raises(TimeoutError):
            it.health(timeout=0.3)


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("500", 500),
        ("status", 200),
        ("readiness", 200),
        ("redirect", 302),
        ("garbage", http.client.BadStatusLine),
        ("silent", TimeoutError),
        ("close", http.client.RemoteDisconnected),
    ],
)
def test_health_is_wrong_in_the_manner_asked_for(tmp_path: Path, how: str, seen: Any) -> None:
    with started(tmp_path, "health_wrong", how=how) as it:
        it.await_event("listening")
        if isinstance(seen, int):
            assert it.health() == seen
        else:
            with pytest.raises(seen):
                it.health(timeout=0.3 if seen is TimeoutError else WITHIN)


def test_a_dripping_answer_goes_on_and_never_ends(tmp_path: Path) -> None:
    with started(tmp_path, "health_wrong", how="drip") as it:
        it.await_event("listening")
        with socket.create_connection(("127.0.0.1", it.port), timeout=WITHIN) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\n\r\n")
            answer = b""
            while answer.count(b".") < 10:
                answer += connection.recv(100)
            assert b"\r\n\r\n" not in answer


def test_health_is_right_after_the_wrong_answers(tmp_path: Path) -> None:
    with started(tmp_path, "health_wrong", times=2) as it:
        it.await_event("listening")
        assert [it.health() for _ in range(3)] == [500, 500, 200]


def test_a_flapping_service_stays_at_last(tmp_path: Path) -> None:
    for start in (1, 2):
        with started(tmp_path, "flaps", times=1, after_ms=50) as it:
            it.await_event("listening", count=start)
            if start == 1:
                assert it.process.wait(WITHIN) == 1
            else:
                assert it.health() == 200


def test_a_service_falls_sick_after_a_while(tmp_path: Path) -> None:
    with started(tmp_path, "unhealthy_after", after_ms=700) as it:
        it.await_event("listening")
        assert it.health() == 200
        wait_until(lambda: it.health() == 503, what="503 from /health")
