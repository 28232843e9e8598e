"""The API behind the proxy in these tests: an aiohttp program; prints its port when it serves."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys

from aiohttp import WSMessage, WSMsgType, web

MIB = 1024 * 1024
left: list[str] = []
"""Paths whose client went away before the answer was complete."""


async def mirror(request: web.Request) -> web.Response:
    """Tell what arrived."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": body.decode("utf-8", "replace"),
            "peer": str(request.remote),
        }
    )


async def digest(request: web.Request) -> web.Response:
    """Read a body of any size without keeping it."""
    size, sha = 0, hashlib.sha256()
    async for piece in request.content.iter_any():
        size += len(piece)
        sha.update(piece)
    return web.json_response({"size": size, "sha256": sha.hexdigest()})


async def download(request: web.Request) -> web.StreamResponse:
    """Send ``mib`` MiB without knowing the length."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        for number in range(int(request.query["mib"])):
            await response.write(bytes([number % 256]) * MIB)
    except BaseException:
        left.append("download")
        raise
    return response


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: one now, the next when ``/api/tick`` is asked."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    queue: asyncio.Queue[str] = asyncio.Queue()
    request.app["queues"].append(queue)
    try:
        while True:
            await response.write(f"data: {await queue.get()}\n\n".encode())
    finally:
        left.append("events")


async def tick(request: web.Request) -> web.Response:
    for queue in request.app["queues"]:
        queue.put_nowait(request.query["text"])
    return web.json_response({"listeners": len(request.app["queues"])})


async def who_left(_request: web.Request) -> web.Response:
    return web.json_response(left)


async def hang(request: web.Request) -> web.Response:
    """Never answer; note when the request began, and when the client gives up."""
    name = request.query.get("as", "hang")
    left.append(f"{name} began")
    try:
        await asyncio.Event().wait()
    finally:
        left.append(name)
    raise AssertionError


async def zipped(_request: web.Request) -> web.Response:
    body = gzip.compress(b"compressed by the API", mtime=0)
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("http://127.0.0.1:1/elsewhere")


async def cookies(_request: web.Request) -> web.Response:
    response = web.Response(text="baked")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; SameSite=Strict")
    return response


async def private(_request: web.Request) -> web.Response:
    return web.Response(
        text="mine", headers={"Connection": "close, X-Secret", "X-Secret": "1", "X-Public": "2"}
    )


async def status(request: web.Request) -> web.StreamResponse:
    return web.Response(status=int(request.match_info["code"]))


async def refuse(_request: web.Request) -> web.Response:
    """Answer before the body has been read."""
    return web.json_response({"error": "too large"}, status=413)


async def reply(socket: web.WebSocketResponse, message: WSMessage) -> None:
    if message.type is WSMsgType.TEXT and message.data.startswith("close "):
        await socket.close(code=int(message.data.split()[1]), message=b"as you wish")
    elif message.type is WSMsgType.TEXT:
        await socket.send_str(message.data)
    elif message.type is WSMsgType.BINARY:
        await socket.send_bytes(message.data)
    elif message.type is WSMsgType.PING:
        await socket.pong(message.data)


async def echo(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        protocols=("chat", "notes"),
        autoping=False,
        max_msg_size=0,
        compress="deflated" in request.query,
    )
    if request.query.get("refuse"):
        return web.json_response({"error": "not you"}, status=401)
    await socket.prepare(request)
    if request.query.get("hello"):
        await socket.send_str("hello")
    try:
        async for message in socket:
            await reply(socket, message)
    finally:
        left.append(f"ws {socket.close_code or 1006}")
    return socket


def application() -> web.Application:
    app = web.Application(client_max_size=1024 * MIB, handler_args={"handler_cancellation": True})
    app["queues"] = []
    app.add_routes(
        [
            web.get("/api/gzip", zipped),
            web.get("/api/moved", moved),
            web.get("/api/cookies", cookies),
            web.get("/api/private", private),
            web.get("/api/hang", hang),
            web.get("/api/left", who_left),
            web.get("/api/events", events),
            web.get("/api/tick", tick),
            web.get("/api/download", download),
            web.get("/api/status/{code}", status),
            web.post("/api/digest", digest),
            web.post("/api/refuse", refuse),
            web.get("/ws", echo),
            web.get("/ws/echo", echo),
            web.route("*", "/{tail:.*}", mirror),
        ]
    )
    return app


async def main() -> None:
    runner = web.AppRunner(application(), handler_cancellation=True, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
