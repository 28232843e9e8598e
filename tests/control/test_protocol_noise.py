"""Requests that are distorted at random: answered or cut off, and never a fault."""

from __future__ import annotations

import random
import socket

from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import HEAD, Api, read_to_end


def test_noise_is_answered_or_cut_off_and_never_a_fault(api: Api, runtime: FakeRuntime) -> None:
    rnd = random.Random(2024)
    for _ in range(300):
        noise = b"".join(distorted(rnd.choice(GOOD), rnd) for _ in range(rnd.randint(1, 2)))
        with api.connect() as client:
            client.sendall(noise)
            client.shutdown(socket.SHUT_WR)
            answer = read_to_end(client)
        assert answer == b"" or answer.startswith(b"HTTP/1."), noise
        assert b" 500 " not in answer[:20], noise
    assert runtime.faults == []
    assert api.get("/healthz").status == 200


GOOD = (
    b"GET /readyz?wait=0.01&strict=1 HTTP/1.1\r\n" + HEAD + b"Accept: */*\r\n\r\n",
    b"GET http://127.0.0.1/logs/tail?serviceId=db HTTP/1.0\r\n" + HEAD + b"\r\n",
    b"POST /services/db/stop HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}",
    b"POST /secrets HTTP/1.1\r\n"
    + HEAD
    + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
)


BITS = (b"\r\n", b"\r", b"\0", b"\xff", b" ", b":", b"%", b"[", b"://", b"\x85", b"9" * 5000, b"_")


def distorted(request: bytes, rnd: random.Random) -> bytes:
    data = bytearray(request)
    for _ in range(rnd.randint(1, 4)):
        at = rnd.randrange(len(data) + 1)
        match rnd.randrange(4):
            case 0:
                data[at:at] = rnd.choice(BITS)
            case 1:
                del data[at : at + rnd.randint(1, 8)]
            case 2:
                data[at : at + 1] = bytes([rnd.randrange(256)])
            case _:
                data[at:at] = data[: rnd.randrange(len(data) + 1)]
    return bytes(data)
