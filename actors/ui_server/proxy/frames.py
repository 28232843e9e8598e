"""Where WebSocket frames begin and end in a stream of bytes (RFC 6455, section 5.2).

The tunnel passes bytes through unread; it only has to know where a close frame may be put in.
"""

from __future__ import annotations

import os

GOING_AWAY = 1001
_CLOSE = 0x88


class FrameCursor:
    """Follows one direction of a WebSocket connection; holds no payload."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = 0
        self.closed = False
        """A close frame has gone through: nothing may follow it."""

    @property
    def at_boundary(self) -> bool:
        """Whether the last frame is complete and the next has not begun."""
        return not self._head and not self._left

    def advance(self, data: bytes) -> None:
        """Account for bytes that were passed on."""
        position = 0
        while position < len(data):
            if self._left:
                step = min(self._left, len(data) - position)
                self._left -= step
                position += step
                continue
            self._head.append(data[position])
            position += 1
            if len(self._head) == _head_size(self._head):
                self._enter_payload()

    def _enter_payload(self) -> None:
        self._left = _payload_size(self._head)
        self.closed = self.closed or (self._head[0] & 0x0F) == (_CLOSE & 0x0F)
        self._head.clear()


def close_frame(code: int, reason: str, *, masked: bool) -> bytes:
    """Make a close frame; the client's side (``masked``) needs a masking key. Reason: <= 123 B."""
    payload = code.to_bytes(2, "big") + reason.encode()
    if not masked:
        return bytes((_CLOSE, len(payload))) + payload
    key = os.urandom(4)
    hidden = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    return bytes((_CLOSE, 0x80 | len(payload))) + key + hidden


def _head_size(head: bytearray) -> int:
    if len(head) < 2:
        return 2
    extended = {126: 2, 127: 8}.get(head[1] & 0x7F, 0)
    return 2 + extended + (4 if head[1] & 0x80 else 0)


def _payload_size(head: bytearray) -> int:
    short = head[1] & 0x7F
    if short == 126:
        return int.from_bytes(head[2:4], "big")
    if short == 127:
        return int.from_bytes(head[2:10], "big")
    return short
