"""Messages as bytes: a length, then marshal. Both ends are the same interpreter, and it is free."""

from __future__ import annotations

import marshal

Message = tuple[object, ...]
"""The kind, then its fields."""

LENGTH = 4


def encode(message: Message) -> bytes:
    """Return one frame; ValueError for a type that marshal does not know."""
    body = marshal.dumps(message)  # type: ignore[arg-type]  # by contract
    return len(body).to_bytes(LENGTH, "little") + body


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are complete with these bytes."""
        self._rest += data
        messages: list[Message] = []
        while len(self._rest) >= LENGTH:
            end = LENGTH + int.from_bytes(self._rest[:LENGTH], "little")
            if len(self._rest) < end:
                break
            messages.append(marshal.loads(self._rest[LENGTH:end]))  # noqa: S302 - from our own fork
            self._rest = self._rest[end:]
        return messages
