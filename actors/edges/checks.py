"""One health check, asked once, without blocking: connect, an HTTP GET, or a command.

A check answers exactly once, with an empty string when the service is well and otherwise with what
is wrong in a few words, unless it is cancelled first. All run on the events loop's thread.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from actors.edges.loop import Loop, Timer
from manifest.schema import Health

Answer = Callable[[str], None]
IN_PROGRESS = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}
BODY_LIMIT = 65536
"""How much of an answer is read: enough for any status document."""
NO_BODY = (204, 205)
ILL = ("unhealthy", "failed", "error", "down")


class Check(Protocol):
    """A question that is under way."""

    def cancel(self) -> None:
        """Stop asking; nothing is answered any more."""


class _Connection:
    """A connection attempt to a port of this machine, bounded in time.

    On Linux the source is 127.0.0.2: where the port lies in the ephemeral range an attempt from
    127.0.0.1 could connect to itself (both ends choose the same port) and look like a listener.
    """

    def __init__(self, loop: Loop, port: int, timeout: float, answer: Answer) -> None:
        self._loop = loop
        self._answer: Answer | None = answer
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._deadline: Timer = loop.call_at(time.monotonic() + timeout, self._expired)
        try:
            if sys.platform == "linux":
                self._socket.bind(("127.0.0.2", 0))
            code = self._socket.connect_ex(("127.0.0.1", port))
        except OSError as error:
            code = error.errno or errno.EIO
        if code in IN_PROGRESS and self._is_connected():
            self._established()
        elif code in IN_PROGRESS:
            loop.watch(self._socket.fileno(), None, self._connected)
        else:
            self._finish(self._refusal(code))

    def cancel(self) -> None:
        """Stop asking; nothing is answered any more."""
        self._answer = None
        self._close()

    def _is_connected(self) -> bool:
        """Whether the handshake is over already, as on a loopback when connect returns."""
        try:
            self._socket.getpeername()
        except OSError:
            return False
        return True

    def _expired(self) -> None:
        self._finish(f"no answer on port {self._port} in time")

    def _connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._finish(self._refusal(code))
        else:
            self._established()

    def _established(self) -> None:
        self._finish("")

    def _refusal(self, code: int) -> str:
        if code == errno.ECONNREFUSED:
            return f"nothing listens on port {self._port}"
        return f"port {self._port}: {os.strerror(code)}"

    def _finish(self, trouble: str) -> None:
        answer, self._answer = self._answer, None
        self._close()
        if answer is not None:
            answer(trouble)

    def _close(self) -> None:
        self._deadline.cancel()
        if self._socket.fileno() >= 0:
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()


class TcpCheck(_Connection):
    """Well when the port accepts a connection."""


class HttpCheck(_Connection):
    """Well when a GET is answered with 2xx, unless a JSON body says otherwise."""

    def __init__(
        self,
        loop: Loop,
        port: int,
        path: str,
        timeout: float,
        answer: Answer,
        method: Literal["GET", "POST"] = "GET",
    ) -> None:
        target = path if path.startswith("/") else f"/{path}"
        length = "Content-Length: 0\r\n" if method == "POST" else ""
        self._unsent = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{length}"
            "User-Agent: bundlevisor\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        ).encode()
        self._received = bytearray()
        super().__init__(loop, port, timeout, answer)

    def _established(self) -> None:
        self._loop.unwatch(self._socket.fileno())
        self._loop.watch(self._socket.fileno(), self._readable, None)
        try:
            sent = self._socket.send(self._unsent)
        except OSError as error:
            self._finish(f"port {self._port}: {error.strerror}")
            return
        if sent != len(self._unsent):
            self._finish(f"port {self._port} does not take a request")

    def _readable(self) -> None:
        try:
            data = self._socket.recv(BODY_LIMIT)
        except BlockingIOError:
            return
        except OSError as error:
            self._finish(f"port {self._port}: {error.strerror}")
            return
        self._received += data
        verdict = judge_response(bytes(self._received), ended=not data)
        if verdict is not None:
            self._finish(verdict)


def judge_response(received: bytes, *, ended: bool) -> str | None:
    """Say what an HTTP response means: None while more is needed, empty when the service is well.

    The rule is the spec's: any 2xx is healthy, except that a JSON object with ``status`` in
    (unhealthy, failed, error, down) or ``readiness: false`` is not.
    """
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return _judge_incomplete(received, ended=ended)
    lines = head.split(b"\r\n")
    code = _status(lines[0])
    if code is None:
        return "the answer is not HTTP"
    if not 200 <= code < 300:
        return f"HTTP {code}"
    headers = dict(_header(line) for line in lines[1:])
    whole = b"" if code in NO_BODY else _whole_body(headers, body, ended=ended)
    return None if whole is None else judge_body(whole)


def _judge_incomplete(received: bytes, *, ended: bool) -> str | None:
    if not ended and len(received) <= BODY_LIMIT:
        return None
    return "the answer is not HTTP" if received else "the connection was closed unanswered"


def _status(line: bytes) -> int | None:
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return None
    return int(words[1])


def judge_body(body: bytes) -> str:
    """Say what a 2xx answer's body means; empty when the service is well."""
    if not body.lstrip().startswith(b"{"):
        return ""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    status = document.get("status")
    if isinstance(status, str) and status.lower() in ILL:
        return f"its health says status {status!r}"
    if document.get("readiness") is False:
        return "its health says readiness false"
    return ""


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


def _whole_body(headers: dict[bytes, bytes], body: bytes, *, ended: bool) -> bytes | None:
    """Return the body once it is complete (or long enough), None while more is needed."""
    if ended or len(body) >= BODY_LIMIT:
        return _dechunked(body) if _is_chunked(headers) else body
    if _is_chunked(headers):
        return _dechunked(body) if b"0\r\n\r\n" in body[-7:] else None
    length = headers.get(b"content-length", b"")
    if length.isdigit() and len(body) >= int(length):
        return body[: int(length)]
    return None


def _is_chunked(headers: dict[bytes, bytes]) -> bool:
    return b"chunked" in headers.get(b"transfer-encoding", b"").lower()


def _dechunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        if length <= 0:
            break
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)


class CommandCheck:
    """Well when a command exits with 0 in time; its whole session is killed when it does not."""

    def __init__(
        self,
        loop: Loop,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        timeout: float,
        answer: Answer,
    ) -> None:
        from actors import process

        self._loop = loop
        self._answer: Answer | None = answer
        self._child: process.Child | None = None
        self._deadline: Timer | None = None
        with open(os.devnull, "wb") as nothing:
            launch = process.Launch(
                argv=tuple(argv), env=env, cwd=cwd, output=nothing.fileno(), instance=""
            )
            try:
                self._child = process.spawn(launch)
            except (OSError, subprocess.SubprocessError) as error:
                reason = _why_not_run(argv[0], error)
                loop.call_soon(lambda: self._finish(reason))
                return
        self._deadline = loop.call_at(time.monotonic() + timeout, self._expired)
        process.watch_exit(loop, self._child, lambda: loop.call_soon(self._ended))

    def cancel(self) -> None:
        """Stop asking, and end the command."""
        self._answer = None
        if self._child is not None:
            self._child.kill()

    def _expired(self) -> None:
        if self._child is not None:
            self._child.kill()
        self._finish("health command did not end in time")

    def _ended(self) -> None:
        if self._child is None:
            return
        code = self._child.poll()
        if code is None:
            return
        self._child.kill()
        self._child.close()
        self._child = None
        self._finish("" if code == 0 else f"health command: exit {code}")

    def _finish(self, trouble: str) -> None:
        answer, self._answer = self._answer, None
        if self._deadline is not None:
            self._deadline.cancel()
        if answer is not None:
            answer(trouble)


def _why_not_run(program: str, error: Exception) -> str:
    from actors import binary
    from manifest.platform import current_key

    if not os.path.isfile(program):
        return f"the program of its health command is not there: {program}"
    if not isinstance(error, OSError):
        return f"health command: {error}"
    return f"health command: {binary.why_refused(program, error, current_key())}"


def ask(
    loop: Loop,
    health: Health,
    answer: Answer,
    *,
    port: int | None,
    argv: list[str],
    env: dict[str, str],
    cwd: str,
) -> Check:
    """Ask once whether a service is well, as its ``health`` section says."""
    timeout = health.timeout_ms / 1000
    if health.type == "command":
        return CommandCheck(loop, argv, env, cwd, timeout, answer)
    if port is None:
        raise ValueError(f"a check of type {health.type} needs a port")
    if health.type == "http":
        return HttpCheck(loop, port, health.request_path, timeout, answer)
    return TcpCheck(loop, port, timeout, answer)
