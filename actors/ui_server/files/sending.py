"""How the bytes of a file get to the client: at once, by sendfile(2), or as parts of it."""

from __future__ import annotations

import asyncio
import os
from typing import BinaryIO

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse

from bundlevisor.actors.ui_server.files.ranges import Part
from bundlevisor.actors.ui_server.files.site import Representation

AT_ONCE = 128 * 1024
"""Bytes up to which a file is read whole and sent with its headers in one write."""
PIECE = 64 * 1024


async def send(
    request: BaseRequest,
    file: Representation,
    parts: list[Part] | None,
    headers: dict[str, str],
) -> StreamResponse:
    """Send a file or parts of it.

    FileNotFoundError, PermissionError and ReplacedError come before anything is sent.
    """
    if request.method == "HEAD":
        return StreamResponse(headers=headers | {"Content-Length": str(file.size)})
    if parts and len(parts) > 1:
        return await _send_several(request, file, parts, headers)
    status, part = 200, Part(0, file.size)
    if parts:
        status, part = 206, parts[0]
        headers["Content-Range"] = part.content_range(file.size)
    with _open(file) as opened:
        if part.length <= AT_ONCE:
            body = _read(opened, part)
            return Response(status=status, headers=headers, body=body)
        response = StreamResponse(status=status, headers=headers)
        response.content_length = part.length
        await response.prepare(request)
        await _send_part(request, response, opened, part)
        return response


async def _send_several(
    request: BaseRequest, file: Representation, parts: list[Part], headers: dict[str, str]
) -> StreamResponse:
    """multipart/byteranges, RFC 9110, section 14.6."""
    boundary = os.urandom(12).hex()
    kind = headers["Content-Type"]
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n"
        f"Content-Range: {part.content_range(file.size)}\r\n\r\n".encode()
        for part in parts
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()
    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    response = StreamResponse(status=206, headers=headers)
    response.content_length = sum(map(len, heads)) + sum(part.length for part in parts) + len(tail)
    with _open(file) as opened:
        await response.prepare(request)
        for head, part in zip(heads, parts, strict=True):
            await response.write(head)
            await _send_part(request, response, opened, part)
        await response.write(tail)
    return response


async def _send_part(
    request: BaseRequest, response: StreamResponse, opened: BinaryIO, part: Part
) -> None:
    """ConnectionError when the client went away, or the file became shorter meanwhile."""
    if part.length > AT_ONCE:
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError("the client went away")
        loop = asyncio.get_running_loop()
        sent = await loop.sendfile(request.transport, opened, part.start, part.length)
        if sent < part.length:
            raise ConnectionResetError("the file became shorter while it was sent")
        return
    for start in range(part.start, part.stop, PIECE):
        piece = Part(start, min(start + PIECE, part.stop))
        await response.write(_read(opened, piece))


def _read(opened: BinaryIO, part: Part) -> bytes:
    opened.seek(part.start)
    data = opened.read(part.length)
    if len(data) < part.length:
        raise ConnectionResetError("the file became shorter while it was sent")
    return data


def _open(file: Representation) -> BinaryIO:
    return open(file.open(), "rb", buffering=0)
