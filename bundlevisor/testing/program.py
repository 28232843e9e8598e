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
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

LINE = b"flood " * 16 + b"\n"
HANGING_S = 3600.0
SLEEPER = [sys.executable, "-I", "-c", "import time; time.sleep(3600)"]


class State:
    """What it has been told."""

    health: object = "ok"
    ballast: list[bytearray] = []  # noqa: RUF012 - one process, one state
    pause = threading.Event()


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
    """Ignore SIGTERM, or heed it again; runs in a thread, so the main thread is asked."""
    if sys.platform != "win32":
        Server.wish = signal.SIG_IGN if deaf else signal.SIG_DFL
        Server.heeded.clear()
        signal.raise_signal(signal.SIGUSR1)
        Server.heeded.wait()  # the main thread does so within the tenth of a second


def become_parent(kind: object) -> int:
    """Start a process that does nothing; return its pid."""
    daemon = kind == "daemon"
    quiet = subprocess.DEVNULL if daemon else None
    started = subprocess.Popen(SLEEPER, start_new_session=daemon, stdout=quiet, stderr=quiet)
    return started.pid


def become_health(health: object) -> None:
    """Answer checks in this way from now on."""
    State.health = health


def say(line: object) -> None:
    """Write a line."""
    os.write(1, f"{line}\n".encode())


ORDERS: dict[str, Any] = {
    "health": become_health,
    "exit": become_exit,
    "grow": become_grown,
    "flood": become_flooded,
    "say": say,
    "deaf": become_deaf,
    "child": become_parent,
}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers checks and orders."""

    def do_GET(self) -> None:
        """A check, or whatever else is asked."""
        health = State.health if self.path == "/health" else "ok"
        if health == "hanging":
            State.pause.wait(HANGING_S)
        elif isinstance(health, int | float):
            State.pause.wait(float(health))
        status = "unhealthy" if health == "wrong" else "ok"
        self.reply(500 if health == "failing" else 200, {"status": status})

    def do_POST(self) -> None:
        """An order."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        order = ORDERS.get(self.path.removeprefix("/kit/"))
        if order is None:
            self.reply(404, {"error": f"no such order: {self.path}"})
        else:
            self.reply(200, {"result": order(json.loads(body or b"null"))})

    def reply(self, code: int, body: object) -> None:
        """Answer with JSON."""
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Leave the output to what is told to be said."""


class Server(http.server.ThreadingHTTPServer):
    """Serves each request in a thread, so that a hanging check holds up no order."""

    daemon_threads = True
    request_queue_size = 128
    wish: Any = signal.SIG_DFL
    heeded = threading.Event()


def heed_wish(*_: object) -> None:
    """Do what a thread wishes with SIGTERM: only the main thread may."""
    signal.signal(signal.SIGTERM, Server.wish)
    Server.heeded.set()


if __name__ == "__main__":
    if sys.platform != "win32":
        signal.signal(signal.SIGUSR1, heed_wish)
    Server(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever(0.1)
