"""Whatever clients send, in whatever pieces, and whenever they go: the next one is answered."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

METHODS = (b"GET", b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT")
TARGETS = (
    *(b"/", b"/index.html", b"/big.bin", b"/a.js", b"/no.js", b"/a/route", b"*", b"http://x/"),
    *(b"/%zz", b"/..%2f", b"/api/x", b"/api/gzip", b"/api/download?mib=1", b"/api/digest"),
    *(b"/api/refuse", b"/api/status/204", b"/api/private", b"/ws", b"/ws?refuse=1"),
)
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)
FIELDS = (
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    WEBSOCKET,
    b"Range: bytes=0-1,5-9,-3",
    b"Range: bytes=200000-",
    b"Accept-Encoding: gzip",
    b"Expect: 100-continue",
    b"If-None-Match: *",
    b"X-Long: " + b"x" * 20_000,
    b"X-Latin: \xe9",
    b"Host: localhost",
)
CLIENTS, REQUESTS = 8, 40
END_AT_ONCE = struct.pack("ii", 1, 0) if sys.platform != "win32" else struct.pack("hh", 1, 0)


def request(chance: random.Random) -> bytes:
    method = chance.choice(METHODS)
    fields = [b"Host: localhost", *chance.sample(FIELDS, chance.choice((0, 0, 1, 2)))]
    body = b""
    if method in (b"POST", b"PUT") or chance.random() < 0.1:
        content = chance.randbytes(chance.choice((0, 1, 5_000, 200_000)))
        if chance.random() < 0.5:
            fields.append(b"Content-Length: %d" % len(content))
            body = content
        else:
            fields.append(b"Transfer-Encoding: chunked")
            pieces = [content[at : at + 70_000] for at in range(0, len(content), 70_000)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            body += b"0\r\nX-Late: 1\r\n\r\n"
    version = chance.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"))
    line = b" ".join((method, chance.choice(TARGETS), version))
    return spoiled(b"\r\n".join((line, *fields, b"", b"")) + body, chance)


def spoiled(sent: bytes, chance: random.Random) -> bytes:
    """Now and then one byte is another, or the end is missing."""
    at = chance.randrange(len(sent))
    if chance.random() < 0.1:
        return sent[:at] + chance.randbytes(1) + sent[at + 1 :]
    return sent[:at] if chance.random() < 0.1 else sent


def come_and_go(port: int, chance: random.Random) -> None:
    """Send some requests, read some of the answers, and end in one way or another."""
    sent = b"".join(request(chance) for _ in range(chance.choice((1, 1, 3))))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.settimeout(0.2)
        with contextlib.suppress(OSError):
            step = chance.choice((300, 9_000, 1_000_000))
            for at in range(0, len(sent), step):
                client.sendall(sent[at : at + step])
            for _ in range(chance.randrange(4)):
                client.recv(100_000)
        if chance.random() < 0.4:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, END_AT_ONCE)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_clients_send_the_next_is_answered(
    serving: Any, tmp_path: Path, api: Any, until: Any, seed: int
) -> None:
    (tmp_path / "index.html").write_bytes(b"index")
    (tmp_path / "big.bin").write_bytes(os.urandom(300_000))
    (tmp_path / "a.js").write_bytes(b"plain")
    (tmp_path / "a.js.gz").write_bytes(b"packed")
    ui = serving(tmp_path, upstream=api.port, response_timeout_ms=1_000)
    assert ui.ask("/").body == b"index"

    def client(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        for _ in range(REQUESTS):
            come_and_go(ui.port, chance)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    while any(one.is_alive() for one in clients):
        assert ui.ask("/").body == b"index"
    assert ui.process.poll() is None
    until(lambda: ui.ask("/api/x").status == 200, "the API has time for one more")
