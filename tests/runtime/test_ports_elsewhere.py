"""A port that is free on loopback, and that somebody has on another address of the machine."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.testing.ports import free_block
from tests.bundle_maker import bundle, running

if sys.platform != "linux":
    pytest.skip("elsewhere it does not keep a service from all addresses", allow_module_level=True)

P = free_block(40)
LISTENS_ON_ALL = """
import http.server, os
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("", int(os.environ["PORT_HTTP"])), Well).serve_forever()
"""


@contextlib.contextmanager
def outgoing(port: int) -> Iterator[socket.socket]:
    """A connection as a browser has: with one of the numbers that Linux takes for these."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.bind(("127.0.0.5", port))
        client.connect(server.getsockname())
        yield client


def test_a_service_on_all_addresses_gets_a_port_that_no_connection_has(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/all", LISTENS_ON_ALL)
    ports = {"http": {"range": {"min": P, "max": P + 9}}}
    made.service("a", "bin/all", ports=ports)
    with outgoing(P), outgoing(P + 1), running(made.write()) as run:
        run.until_ready()
        assert run.ports("a") == {"http": P + 2}
        moved = run.await_told("port_reassigned", "a")
        assert [(one["previous"], one["port"]) for one in moved] == [(P, P + 2)]
        assert run.service("a")["restarts"] == 0


def test_a_service_that_may_have_one_port_alone_is_tried_again(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/all", LISTENS_ON_ALL)
    ports = {"http": {"range": {"min": P + 10, "max": P + 10}}}
    with (
        outgoing(P + 10) as client,
        running(made.service("a", "bin/all", ports=ports).write()) as run,
    ):
        run.await_told("service_exit", "a")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        client.close()  # by a reset: it does not linger
        run.until_ready()
        assert run.ports("a") == {"http": P + 10}


def test_a_service_on_loopback_keeps_that_port(tmp_path: Path) -> None:
    ports = {"http": {"range": {"min": P + 20, "max": P + 29}}}
    with outgoing(P + 20), running(bundle(tmp_path).service("a", ports=ports).write()) as run:
        run.until_ready()
        assert run.ports("a") == {"http": P + 20}
