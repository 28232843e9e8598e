"""What every program here shares: its options, the record of what it saw, a tiny HTTP service.

A program is looked at from outside while it starts, so nothing slow is imported: ``_socket`` and
``_signal`` instead of their wrappers, no json, typing or argparse (together 20 ms).
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # a builtin that typeshed leaves out
import _socket
import os
import select
import sys
import time
from _json import encode_basestring_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    Answer = Callable[["Connection", str, str], None]

Connection = _socket.socket
RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")

# Windows delivers a console event only to a main thread that runs bytecode now and then; elsewhere
# a signal that comes just before a wait begins would be noticed at its end.
IDLE_S = 0.1 if os.name == "nt" else 1.0

# On a busy machine a client may come to send long after it has connected.
SILENT_S = 10.0

CATCHABLE = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")


def option(name: str, default: str = "") -> str:
    """Return ``--some-name VALUE`` from argv, else PROGRAM_SOME_NAME from the environment."""
    flag = "--" + name
    if flag in sys.argv[:-1]:
        return sys.argv[sys.argv.index(flag) + 1]
    return os.environ.get("PROGRAM_" + name.upper().replace("-", "_"), default)


def number(name: str, default: int) -> int:
    """Return an option that is a whole number."""
    return int(option(name) or default)


def record(event: str, **details: object) -> None:
    """Append one JSON line to the file of ``--record``; ``t`` is the host's monotonic clock, s."""
    path = option("record")
    if path:
        line = encode({"event": event, "t": time.monotonic(), "pid": os.getpid(), **details})
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, line.encode() + b"\n")
        os.close(file)


def encode(value: object) -> str:
    """Return the value as JSON."""
    if isinstance(value, dict):
        pairs = (f"{encode_basestring_ascii(str(key))}: {encode(v)}" for key, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(encode, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else encode_basestring_ascii(str(value))


def incarnation() -> int:
    """Return which start of this service this is, from 1: the record is what it remembers."""
    try:
        with open(option("record"), "rb") as lines:
            return sum(b'"event": "started"' in line and b'"leader"' in line for line in lines)
    except OSError:
        return 1


def say(text: str | bytes, stream: int = 1) -> None:
    """Write all of ``text`` to stdout (or stderr) without a buffer in between."""
    rest = memoryview(text.encode() if isinstance(text, str) else text)
    while rest:
        rest = rest[os.write(stream, rest) :]


def leave(code: int = 0) -> NoReturn:
    """End at once with this exit code, and record it."""
    record("exit", code=code)
    os._exit(code)


def pause(milliseconds: int) -> None:
    """Do nothing for so long; signals are still noticed."""
    end = time.monotonic() + milliseconds / 1000
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, IDLE_S))


def stop_at_once(_signal_number: int) -> None:
    """React to a signal as a good service does."""
    leave(0)


def ignore(_signal_number: int) -> None:
    """React to a signal not at all."""


def start(reaction: Callable[[int], None] = stop_at_once) -> None:
    """Catch and record every signal that can be caught, then record the start itself."""

    def seen(signal_number: int, _frame: object) -> None:
        record("signal", signal=signal_number)
        reaction(signal_number)

    for name in CATCHABLE:
        if hasattr(_signal, name):
            _signal.signal(getattr(_signal, name), seen)
    record(
        "started",
        role=option("role", "leader"),
        ppid=os.getppid(),
        instance=os.environ.get("SERVICE_INSTANCE_ID", ""),
    )


def listen() -> Connection:
    """Listen on the service's port; an address in use ends the program, as it does with most."""
    server = Connection(_socket.AF_INET, _socket.SOCK_STREAM)
    if os.name == "posix":
        server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    try:
        server.bind(("127.0.0.1", number("port", int(os.environ.get("PORT_HTTP", "0")))))
    except OSError as error:
        say(f"OSError: {error}\n", stream=2)
        leave(1)
    server.listen(128)
    record("listening", port=server.getsockname()[1])
    return server


def serve(answer: Answer | None = None, after: Callable[[], None] = lambda: None) -> NoReturn:
    """Listen after ``--delay-ms`` and answer for ever; without a port only stay alive.

    ``after`` is called once, when the service listens.
    """
    pause(number("delay-ms", 0))
    if not option("port") and "PORT_HTTP" not in os.environ:
        after()
        while True:
            pause(1000)
    serve_on(listen(), answer, after)


def serve_on(
    server: Connection, answer: Answer | None = None, after: Callable[[], None] = lambda: None
) -> NoReturn:
    """Answer one request after the other on a listening socket, for ever."""
    after()
    while True:
        if select.select([server], [], [], IDLE_S)[0]:
            attend(accept(server), answer or healthy)


def accept(server: Connection) -> Connection:
    """Take the next connection; a client that sends nothing holds it for so long at most."""
    handle, _address = server._accept()  # type: ignore[attr-defined]  # what socket.accept calls
    connection = Connection(fileno=handle)
    connection.settimeout(SILENT_S)
    return connection


def attend(connection: Connection, answer: Answer) -> None:
    """Read one request and answer it."""
    try:
        head = b""
        while b"\r\n\r\n" not in head and (more := connection.recv(65536)):
            head += more
        if head:
            method, path = head.split(b" ", 2)[:2]
            if method != b"GET":
                record("request", method=method.decode(), path=path.decode())
            answer(connection, method.decode(), path.decode())
    except OSError:
        pass  # the client went away or was too slow; the next one is served
    finally:
        connection.close()


def reply(connection: Connection, status: int, body: str) -> None:
    """Send a whole answer."""
    content = body.encode()
    head = (
        f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    connection.sendall(head.encode() + content)


def healthy(connection: Connection, _method: str, path: str) -> None:
    """Answer ``/health`` with 200, and any other path with who is answering."""
    if path == "/health":
        reply(connection, 200, '{"status": "ok"}')
    else:
        who = {"service": os.environ.get("SERVICE_ID", ""), "pid": os.getpid(), "path": path}
        reply(connection, 200, encode(who))


def spawn(program: str, *arguments: str, env: dict[str, str]) -> int:
    """Start another of these programs with our stdout but without our port; return its pid."""
    command = [sys.executable, "-IS", RUN, program, "--record", option("record"), *arguments]
    env = {name: value for name, value in env.items() if name != "PORT_HTTP"}
    if os.name == "nt":
        command = [f'"{word}"' for word in command]
    return os.spawnve(os.P_NOWAIT, sys.executable, command, env)
