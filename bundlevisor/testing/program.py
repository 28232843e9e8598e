"""The kit's service: it answers ``/health`` and misbehaves when it is told to.

Run as ``program.py PORT``. ``POST /kit/<what>`` with a JSON value as its body:

``health``  ``"ok"``, ``"failing"`` (500), ``"wrong"`` (200, with a status of unhealthy),
            ``"hanging"``, or seconds that each answer takes
``exit``    the code to end with, at once
``grow``    MiB that it takes and keeps
``flood``   bytes that it writes to its output
``say``     a line that it writes to its output
``deaf``    true: it ignores SIGTERM from now on (POSIX)
``child``   ``"child"`` of its own tree, or ``"daemon"`` of a session of its own; answers its pid

A bundle of many is started over and over, so that nothing slow is imported before it listens:
``_socket`` and ``_signal`` instead of their wrappers, no http, no typing (together 100 ms).
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # a builtin that typeshed leaves out
import _socket
import _thread
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Order = Callable[[object], object]

ANSWERS = ("ok", "failing", "wrong", "hanging")
LINE = b"flood " * 16 + b"\n"
HANGING_S = 3600.0
BACKLOG = 128
LOOK_S = 0.1 if os.name == "nt" else None
"""Windows tells the main thread of a console's events only when it runs bytecode now and then."""
REASONS = {200: "OK", 404: "Not Found", 500: "Internal Server Error"}


class State:
    """What it has been told."""

    health: object = "ok"
    ballast: list[bytearray] = []  # noqa: RUF012 - one process, one state
    deaf: object = False
    heeded = _thread.allocate_lock()
    """Released by the main thread, which alone may say what a signal does, when it has done so."""
    wake = -1
    """A pipe's end: a byte written there has the main thread look at ``deaf``."""


def become_exit(code: object) -> None:
    """End at once."""
    os._exit(int(str(code)))


def become_grown(mib: object) -> None:
    """Take memory and touch each page of it."""
    block = bytearray(int(str(mib)) << 20)
    block[::4096] = b"x" * len(block[::4096])
    State.ballast.append(block)


def become_flooded(count: object) -> None:
    """Write so many bytes, in lines."""
    left = int(str(count))
    while left > 0:
        left -= os.write(1, (LINE * 512)[:left])


def become_deaf(deaf: object) -> None:
    """Ignore SIGTERM, or heed it again."""
    if os.name != "nt":
        State.deaf = deaf
        os.write(State.wake, b"!")
        State.heeded.acquire()


def become_parent(kind: object) -> int:
    """Start a process that does nothing; return its pid."""
    import subprocess

    daemon = kind == "daemon"
    quiet = subprocess.DEVNULL if daemon else None
    sleeper = [sys.executable, "-I", "-c", f"import time; time.sleep({HANGING_S})"]
    started = subprocess.Popen(sleeper, start_new_session=daemon, stdout=quiet, stderr=quiet)
    return started.pid


def become_health(health: object) -> None:
    """Answer checks in this way from now on."""
    takes_time = type(health) in (int, float) and float(str(health)) >= 0
    if health not in ANSWERS and not takes_time:
        raise ValueError(f"health is one of {', '.join(ANSWERS)}, or seconds, not {health!r}")
    State.health = health


def say(line: object) -> None:
    """Write a line."""
    os.write(1, f"{line}\n".encode())


ORDERS: dict[str, Order] = {
    "health": become_health,
    "exit": become_exit,
    "grow": become_grown,
    "flood": become_flooded,
    "say": say,
    "deaf": become_deaf,
    "child": become_parent,
}


def looked_at(path: str) -> tuple[int, str]:
    """Answer a check, or whatever else is asked: status and JSON."""
    health = State.health if path == "/health" else "ok"
    if health == "hanging":
        time.sleep(HANGING_S)
    elif isinstance(health, int | float):
        time.sleep(float(health))
    status = "unhealthy" if health == "wrong" else "ok"
    return 500 if health == "failing" else 200, f'{{"status": "{status}"}}'


def ordered(path: str, body: bytes) -> tuple[int, str]:
    """Do what it is told: status and JSON."""
    import json

    order = ORDERS.get(path.removeprefix("/kit/"))
    if order is None:
        return 404, json.dumps({"error": f"no such order: {path}"})
    try:
        return 200, json.dumps({"result": order(json.loads(body or b"null"))})
    except (ValueError, OverflowError, MemoryError, OSError) as error:
        return 500, json.dumps({"error": f"{path}: {type(error).__name__}: {error}"})


def attend(connection: _socket.socket) -> None:
    """Read one request and answer it, unless the client goes away."""
    try:
        if request := read(connection):
            method, path, body = request
            status, told = ordered(path, body) if method == "POST" else looked_at(path)
            head = (
                f"HTTP/1.0 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(told)}\r\n\r\n"
            )
            connection.sendall((head + told * (method != "HEAD")).encode())
    except OSError:
        pass
    finally:
        connection.close()


def read(connection: _socket.socket) -> tuple[str, str, bytes] | None:
    """Return method, path and body; None when the request has no end."""
    come, length = b"", None
    while True:
        head, whole, body = come.partition(b"\r\n\r\n")
        if whole and length is None:
            first, *fields = head.decode("latin-1").split("\r\n")
            parts = (line.partition(":") for line in fields)
            length = int({n.lower(): value for n, _, value in parts}.get("content-length", 0))
        if length is not None and len(body) >= length:
            method, path, _ = first.split(" ")
            return method, path, body[:length]
        if not (more := connection.recv(65536)):
            return None
        come += more


def listen(port: int) -> _socket.socket:
    """Listen on a port of 127.0.0.1; OSError when it is in use."""
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    if os.name == "posix":
        server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(BACKLOG)
    return server


def serve(server: _socket.socket) -> None:
    """Attend to each connection in a thread, so that a hanging check holds up no order."""
    woken, State.wake = os.pipe()
    State.heeded.acquire()
    heard = [server.fileno()] if os.name == "nt" else [server.fileno(), woken]
    while True:
        ready = select.select(heard, [], [], LOOK_S)[0]
        if woken in ready:
            os.read(woken, 1)
            _signal.signal(_signal.SIGTERM, _signal.SIG_IGN if State.deaf else _signal.SIG_DFL)
            State.heeded.release()
        if server.fileno() in ready:
            accept(server)


def accept(server: _socket.socket) -> None:
    """Take a connection; one for which there is no descriptor or thread is closed."""
    try:
        handle, _ = server._accept()  # type: ignore[attr-defined]  # what socket.accept calls
        connection = _socket.socket(fileno=handle)
        _thread.start_new_thread(attend, (connection,))
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr, flush=True)


def main() -> None:
    """Serve on the port that the command line names."""
    serve(listen(int(sys.argv[1])))


if __name__ == "__main__":
    main()
