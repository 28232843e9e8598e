"""The hand-written WebSocket echo of the notes example, frame by frame (RFC 6455)."""

from __future__ import annotations

import base64
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.examples.notes_by_hand import NotesServices
from tests.waiting import WITHIN, wait_until

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL = 0x80


class Client:
    """The client's end of a WebSocket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.stream = connection.makefile("rb")

    def send(self, opcode: int, payload: bytes, *, final: bool = True, masked: bool = True) -> None:
        size = len(payload)
        mask = os.urandom(4)
        head = struct.pack("!B", (FINAL if final else 0) | opcode)
        flag = 0x80 if masked else 0
        if size < 126:
            head += struct.pack("!B", flag | size)
        elif size < 1 << 16:
            head += struct.pack("!BH", flag | 126, size)
        else:
            head += struct.pack("!BQ", flag | 127, size)
        hidden = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.connection.sendall(head + (mask + hidden if masked else payload))

    def receive(self) -> tuple[int, bytes]:
        first, size = self.stream.read(2)
        if size == 126:
            (size,) = struct.unpack("!H", self.stream.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.stream.read(8))
        return first & 0x0F, self.stream.read(size)

    def closing_code(self) -> int:
        opcode, payload = self.receive()
        assert opcode == CLOSE
        return int(struct.unpack("!H", payload)[0])


@contextmanager
def connected(home: NotesServices) -> Iterator[Client]:
    api = home.api()
    with socket.create_connection(("127.0.0.1", api.port), timeout=WITHIN) as connection:
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        client = Client(connection)
        head = b"".join(iter(client.stream.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101 ")
        # the example of RFC 6455, 1.3
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
        with client.stream:
            yield client


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_messages_of_every_length_come_back(home: NotesServices, size: int) -> None:
    message = base64.b64encode(os.urandom(size))[:size]
    with connected(home) as client:
        client.send(TEXT, message)
        assert client.receive() == (TEXT, message)
        client.send(BINARY, message)
        assert client.receive() == (BINARY, message)


def test_a_message_in_pieces_comes_back_whole_and_a_ping_in_between_is_answered(
    home: NotesServices,
) -> None:
    with connected(home) as client:
        client.send(TEXT, "Grü".encode()[:3], final=False)
        client.send(PING, b"there?")
        client.send(0, "Grüße".encode()[3:])
        assert client.receive() == (PONG, b"there?")
        assert client.receive() == (TEXT, "Grüße".encode())


def test_a_close_is_answered(home: NotesServices) -> None:
    with connected(home) as client:
        client.send(CLOSE, struct.pack("!H", 1001))
        assert client.closing_code() == 1000
        assert client.stream.read() == b""


@pytest.mark.parametrize(
    ("opcode", "payload", "masked", "code"),
    [
        (TEXT, b"not masked", False, 1002),
        (0, b"goes on with nothing", True, 1002),
        (3, b"reserved", True, 1002),
        (PING, b"x" * 126, True, 1002),
        (TEXT, b"\xff\xfe", True, 1007),
        (BINARY, b"x" * ((1 << 20) + 1), True, 1009),
    ],
)
def test_what_breaks_the_protocol_is_closed_with_its_code(
    home: NotesServices, opcode: int, payload: bytes, masked: bool, code: int
) -> None:
    with connected(home) as client:
        try:
            client.send(opcode, payload, masked=masked)
        except (BrokenPipeError, ConnectionResetError):
            assert code == 1009  # it need not read what it refuses
        else:
            assert client.closing_code() == code


CUT = (b"\x81", b"\x81\xfe", b"\x81\xfe\x01", b"\x81\xff\0\0", b"\x81\x80\0", b"\x81\x81\0\0\0\0")


@pytest.mark.parametrize("cut", CUT)
def test_who_goes_away_in_the_middle_of_a_frame_leaves_no_trace(
    home: NotesServices, cut: bytes
) -> None:
    with connected(home) as client:
        client.connection.sendall(cut)
    log = home.database.with_name("api.log")
    ends = ("/ws closed", "Error")
    wait_until(lambda: any(end in log.read_text() for end in ends), what="the end of it")
    assert "Error" not in log.read_text()


def test_a_request_without_an_upgrade_is_told_so(home: NotesServices) -> None:
    assert home.api().ask("GET", "/ws").status == 426
