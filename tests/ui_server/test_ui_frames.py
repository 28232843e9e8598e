from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as some

from bundlevisor.actors.ui_server.proxy.frames import FrameCursor, close_frame
from bundlevisor.actors.ui_server.proxy.tunnel import Direction


def frame(opcode: int, payload: bytes, *, masked: bool) -> bytes:
    """A frame; the payload of a masked one is not hidden here, only its length counts."""
    size, mask = len(payload), 0x80 if masked else 0
    if size < 126:
        head = bytes((0x80 | opcode, mask | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, mask | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, mask | 127)) + size.to_bytes(8, "big")
    return head + (b"mask" if masked else b"") + payload


frames = some.tuples(
    some.sampled_from((0, 1, 2, 9, 10)),
    some.sampled_from((0, 1, 125, 126, 127, 300, 65535, 65536, 70000)),
    some.booleans(),
)


@given(some.lists(frames, max_size=6), some.lists(some.integers(1, 70000), max_size=20))
def test_a_boundary_is_seen_exactly_at_the_end_of_a_frame(
    made: list[tuple[int, int, bool]], cuts: list[int]
) -> None:
    stream, ends = b"", {0}
    for opcode, size, masked in made:
        stream += frame(opcode, bytes(size), masked=masked)
        ends.add(len(stream))
    cursor, position = FrameCursor(), 0
    for cut in [*cuts, len(stream)]:
        piece = stream[position : position + cut]
        cursor.advance(piece)
        position += len(piece)
        assert cursor.at_boundary is (position in ends)
    assert not cursor.closed


def test_a_close_frame_is_noticed_and_nothing_else_is_one() -> None:
    cursor = FrameCursor()
    cursor.advance(frame(1, b"\x88\x00", masked=False))
    assert not cursor.closed
    cursor.advance(frame(8, b"\x03\xe8", masked=True))
    assert cursor.closed


def test_a_close_frame_carries_its_code_and_hides_it_on_the_way_to_the_api() -> None:
    plain = close_frame(1001, "bye", masked=False)
    assert plain == b"\x88\x05" + (1001).to_bytes(2, "big") + b"bye"
    hidden = close_frame(1001, "bye", masked=True)
    key = hidden[2:6]
    assert hidden[1] == 0x80 | 5
    assert bytes(byte ^ key[i % 4] for i, byte in enumerate(hidden[6:])) == plain[2:]


@pytest.mark.parametrize(("over", "written"), [(False, 1), (True, 0)])
def test_nobody_says_goodbye_on_a_websocket_that_is_over(*, over: bool, written: int) -> None:
    sent: list[bytes] = []

    async def write(data: bytes) -> None:
        sent.append(data)

    async def leave() -> None:
        direction = Direction(asyncio.StreamReader(), write, masked=False)
        if over:
            direction.end()
        await direction.leave()

    asyncio.run(leave())
    assert len(sent) == written
