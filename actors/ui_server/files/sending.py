"""How the bytes of a file get to the client: at once, by sendfile(2), or as parts of it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Coroutine
from typing import BinaryIO

from bundlevisor.actors.ui_server.files.ranges import Part
from bundlevisor.actors.ui_server.files.site import Representation
from bundlevisor.actors.ui_server.http import answer as answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.outgoing import Outgoing
from bundlevisor.actors.ui_server.http.request import Request

AT_ONCE = 128 * 1024
"""Bytes up to which a file is read whole and sent with its headers in one write."""
PIECE = 64 * 1024

Sent = Answer | Coroutine[None, None, None]
"""An answer, or what sends one piece by piece."""


def send(
    request: Request,
    file: Representation,
    parts: list[Part] | None,
    headers: dict[str, str],
) -> Sent:
    """Send a file or parts of it; FileNotFoundError, PermissionError and ReplacedError."""
    if request.method == "HEAD":
        return Answer(200, headers, length=file.size)
    if parts and len(parts) > 1:
        return _send_several(request, _open(file), file.size, parts, headers)
    status, part = 200, Part(0, file.size)
    if parts:
        status, part = 206, parts[0]
        headers["Content-Range"] = part.content_range(file.size)
    if part.length > AT_ONCE:
        return _send_long(request, _open(file), part, status, headers)
    return Answer(status, headers, _whole(file) if part.length == file.size else _some(file, part))


async def _send_long(
    request: Request, opened: BinaryIO, part: Part, status: int, headers: dict[str, str]
) -> None:
    with opened:
        out = _begin(request, status, part.length, headers)
        await out.flush()
        await _send_part(request, out, opened, part)


async def _send_several(
    request: Request, opened: BinaryIO, size: int, parts: list[Part], headers: dict[str, str]
) -> None:
    """multipart/byteranges, RFC 9110, section 14.6."""
    boundary = os.urandom(12).hex()
    kind = headers["Content-Type"]
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n"
        f"Content-Range: {part.content_range(size)}\r\n\r\n".encode()
        for part in parts
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()
    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    length = sum(map(len, heads)) + sum(part.length for part in parts) + len(tail)
    with opened:
        out = _begin(request, 206, length, headers)
        for head, part in zip(heads, parts, strict=True):
            await out.write(head)
            await _send_part(request, out, opened, part)
        await out.write(tail)


def _begin(request: Request, status: int, length: int, headers: dict[str, str]) -> Outgoing:
    out = request.client.outgoing()
    fields = [*headers.items(), ("Content-Length", str(length))]
    out.begin(status, answers.reason(status), fields)
    return out


async def _send_part(request: Request, out: Outgoing, opened: BinaryIO, part: Part) -> None:
    """ConnectionError when the client went away, or the file became shorter meanwhile."""
    if part.length > AT_ONCE and await _send_by_system(request, opened, part):
        return
    for start in range(part.start, part.stop, PIECE):
        piece = Part(start, min(start + PIECE, part.stop))
        await out.write(_read(opened, piece))


async def _send_by_system(request: Request, opened: BinaryIO, part: Part) -> bool:
    """Return False where the system cannot, as with files of some file systems.

    asyncio takes it for that, too, when the client went away before the first byte; its own way
    out would begin threads.
    """
    transport = request.client.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client went away")
    loop = asyncio.get_running_loop()
    try:
        sent = await loop.sendfile(transport, opened, part.start, part.length, fallback=False)
    except asyncio.SendfileNotAvailableError:
        return False
    except OSError as error:
        if error.errno != errno.ENOTCONN:  # which asyncio says otherwise, but not on Windows
            raise
        raise ConnectionResetError("the client went away") from error
    if sent < part.length:
        raise ConnectionResetError("the file became shorter while it was sent")
    return True


def _whole(file: Representation) -> bytes:
    """Return all of a small file, from memory where it is the same as it was."""
    content = file.recent.get(file.key)
    if content is None:
        content = _some(file, Part(0, file.size))
        file.recent.keep(file.key, content, file.changed)
    return content


def _some(file: Representation, part: Part) -> bytes:
    """Read a small part with as few calls of the system as there can be."""
    descriptor = file.open()
    try:
        if part.start:
            os.lseek(descriptor, part.start, os.SEEK_SET)
        data = os.read(descriptor, part.length)
    finally:
        os.close(descriptor)
    return _complete(data, part)


def _read(opened: BinaryIO, part: Part) -> bytes:
    opened.seek(part.start)
    return _complete(opened.read(part.length), part)


def _complete(data: bytes, part: Part) -> bytes:
    if len(data) < part.length:
        raise ConnectionResetError("the file became shorter while it was sent")
    return data


def _open(file: Representation) -> BinaryIO:
    return open(file.open(), "rb", buffering=0)
