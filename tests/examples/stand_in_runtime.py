"""What a shell sees of the runtime, and no more: the line on stdout, the token, a few answers.

``--record FILE`` gets a line for each request and for the end of stdin. ``--waits N``: so many
answers say that it is not ready. ``--deaf``: neither ``/shutdown`` nor the end of stdin ends it.
``--chatty``: it goes on writing to stdout. ``--exit CODE``: it ends before it listens.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "a-token-of-the-stand-in"
PIPE_SIZE = 1 << 16


class Answers(BaseHTTPRequestHandler):
    """The few resources that a shell asks for."""

    options: argparse.Namespace

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        record(self.options.record, f"{self.command} {self.path} {known}")
        if not known:
            self.reply(401, {"error": "who are you?"})
        elif self.path.startswith("/readyz"):
            self.reply(200, self.readiness())
        elif self.path == "/ports":
            self.reply(200, {"services": {"web": {"http": 28430}}})
        elif self.path == "/shutdown" and not self.options.deaf:
            self.reply(202, {"status": "stopping"})
            threading.Thread(target=self.server.shutdown).start()
        else:
            self.reply(404, {"error": f"nothing at {self.path}"})

    do_POST = do_GET  # noqa: N815  # the name that http.server looks for

    def readiness(self) -> dict[str, Any]:
        self.options.waits -= 1
        ready = self.options.waits < 0
        db = {"ready": ready, "state": "starting", "message": "asked /health 3 times"}
        api = {"ready": ready, "state": "waiting", "message": "", "waiting_for": ["db"]}
        spare = {"ready": False, "skipped": True, "state": "inactive", "message": "on demand"}
        return {"ready": ready, "details": {"db": db, "api": api, "spare": spare}}

    def reply(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    options = read_options()
    if options.exit is not None:
        sys.exit(options.exit)
    Answers.options = options
    token = options.record.with_suffix(".token")
    token.write_text(TOKEN + "\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=watch_stdin, args=(server, options), daemon=True).start()
    line = {
        "event": "listening",
        "host": "127.0.0.1",
        "port": server.server_port,
        "pid": os.getpid(),
        "token_path": str(token),
        "instance_id": "stand-in",
    }
    print(json.dumps(line), flush=True)
    if options.chatty:
        print("x" * 4 * PIPE_SIZE, flush=True)
        record(options.record, "all was read")
    server.serve_forever()
    record(options.record, "stopped in order")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--waits", type=int, default=0)
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--chatty", action="store_true")
    parser.add_argument("--exit", type=int)
    return parser.parse_args()


def watch_stdin(server: ThreadingHTTPServer, options: argparse.Namespace) -> None:
    sys.stdin.read()
    record(options.record, "end of stdin")
    if not options.deaf:
        server.shutdown()


def record(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main()
