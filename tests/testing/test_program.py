"""The kit's service: what a start of it costs, and what it makes of clients."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.testing import client
from bundlevisor.testing.bundle import PROGRAM
from bundlevisor.testing.ports import free_block
from tests.waiting import wait_until

SLOW = {"email", "enum", "functools", "http", "json", "re", "signal", "socket", "subprocess"}
SLOW |= {"threading", "typing"}


def test_nothing_slow_is_imported_before_it_listens() -> None:
    code = f"import sys; sys.path.insert(0, {str(PROGRAM.parent)!r}); import program\n"
    words = [sys.executable, "-IS", "-c", code + "print(*sys.modules)"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "program" in done.stdout.split()
    assert SLOW & set(done.stdout.split()) == set()


@pytest.fixture
def port() -> Iterator[int]:
    """One on which the program answers."""
    free = free_block(1)
    with subprocess.Popen([sys.executable, "-IS", PROGRAM, str(free)]) as process:
        try:
            wait_until(lambda: answers(free), what="the program's answer")
            yield free
        finally:
            process.kill()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(client.request(port, "GET", "/health").json() == {"status": "ok"})
    return False


def test_an_order_that_comes_in_pieces_is_done(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for piece in (b"POST /kit/heal", b"th HTTP/1.1\r\nContent-", b"Length: 7\r\n\r\n", b'"wr'):
            connection.sendall(piece)
        connection.sendall(b'ong"')
        assert connection.makefile("rb").read().endswith(b'{"result": null}')
    assert client.request(port, "GET", "/health").json() == {"status": "unhealthy"}


def test_whoever_goes_away_or_asks_for_anything_else_ends_nothing(port: int) -> None:
    for words in (b"", b"GET /hea", b"POST /kit/say HTTP/1.1\r\nContent-Length: 9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(words)
    assert client.request(port, "POST", "/kit/dance").status == 404
    assert client.request(port, "GET", "/anything").json() == {"status": "ok"}


def test_it_says_that_its_port_is_in_use(port: int, tmp_path: Path) -> None:
    words = [sys.executable, "-IS", str(PROGRAM), str(port)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "in use" in done.stderr
