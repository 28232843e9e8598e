"""WebSocket frames (RFC 6455), as much of it as an echo needs: no extensions, no subprotocols."""

from __future__ import annotations

import struct
from base64 import b64encode
from contextlib import suppress
from hashlib import sha1
from io import BufferedIOBase
from typing import Any, NamedTuple

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
MESSAGE_LIMIT = 1 << 20
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, PROTOCOL_ERROR, BAD_DATA, TOO_BIG = 1000, 1002, 1007, 1009


class Frame(NamedTuple):
    """One frame, unmasked."""

    final: bool
    opcode: int
    payload: bytes


class Broken(Exception):
    """The other side broke the protocol; the connection ends with this code (RFC 6455, 7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def handshake(headers: Any) -> dict[str, str] | None:
    """Return the headers of the answer 101; None when this is not an upgrade that we speak."""
    key = headers.get("Sec-WebSocket-Key")
    upgrade = headers.get("Upgrade", "").lower() == "websocket"
    if not (key and upgrade and headers.get("Sec-WebSocket-Version") == "13"):
        return None
    accept = b64encode(sha1((key + GUID).encode(), usedforsecurity=False).digest()).decode()
    return {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}


def echo(incoming: BufferedIOBase, outgoing: BufferedIOBase) -> None:
    """Send every message back until the other side closes or goes away."""
    with suppress(OSError):
        code = NORMAL
        try:
            while message := next_message(incoming, outgoing):
                write_frame(outgoing, *message)
        except Broken as broken:
            code = broken.code
        write_frame(outgoing, CLOSE, struct.pack("!H", code))


def next_message(incoming: BufferedIOBase, outgoing: BufferedIOBase) -> tuple[int, bytes] | None:
    """Return the next whole message, pings answered in between; None at its close."""
    kind, parts = 0, bytearray()
    while frame := read_frame(incoming):
        if frame.opcode == CLOSE:
            return None
        if frame.opcode == PING:
            write_frame(outgoing, PONG, frame.payload)
        elif frame.opcode in (TEXT, BINARY, CONTINUATION):
            if (frame.opcode == CONTINUATION) is not bool(kind):
                raise Broken(PROTOCOL_ERROR)
            kind = kind or frame.opcode
            parts += frame.payload
            if len(parts) > MESSAGE_LIMIT:
                raise Broken(TOO_BIG)
            if frame.final:
                return kind, checked(kind, bytes(parts))
        elif frame.opcode != PONG:
            raise Broken(PROTOCOL_ERROR)
    return None


def checked(kind: int, payload: bytes) -> bytes:
    """Return the payload; a text that is not UTF-8 breaks the connection."""
    try:
        return payload.decode().encode() if kind == TEXT else payload
    except UnicodeDecodeError:
        raise Broken(BAD_DATA) from None


def read_frame(incoming: BufferedIOBase) -> Frame | None:
    """Read one frame (RFC 6455, 5.2); None when the connection has ended."""
    head = incoming.read(2)
    if len(head) < 2:
        return None
    opcode, length = head[0] & 0x0F, head[1] & 0x7F
    control = opcode & 0x8
    reserved, masked = head[0] & 0x70, head[1] & 0x80
    if reserved or not masked or (control and (length > 125 or not head[0] & 0x80)):
        raise Broken(PROTOCOL_ERROR)
    if length > 125:
        length = int.from_bytes(incoming.read(2 if length == 126 else 8), "big")
    if length > MESSAGE_LIMIT:
        raise Broken(TOO_BIG)
    mask = incoming.read(4)
    payload = incoming.read(length)
    if len(mask) < 4 or len(payload) < length:
        return None
    return Frame(bool(head[0] & 0x80), opcode, unmasked(payload, mask))


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """Return the payload without its mask: one XOR over the whole of it."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def write_frame(outgoing: BufferedIOBase, opcode: int, payload: bytes) -> None:
    """Send one final frame; a server does not mask."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    outgoing.write(head + payload)
    outgoing.flush()
