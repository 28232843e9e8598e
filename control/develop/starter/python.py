"""The programs of a new bundle in Python: nothing is needed but the interpreter."""

from __future__ import annotations

SERVER = '''\
#!/usr/bin/env python3
"""The API: counts, and keeps the count in its data folder."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

PORT = int(os.environ["PORT_HTTP"])
KEY = os.environ["WORKER_KEY"]
KEPT = os.path.join(os.environ["APP_DATA_DIR"], "api", "count.json")
DEBUG = os.environ.get("LOG_LEVEL") == "debug"
lock = Lock()


def read():
    try:
        with open(KEPT, encoding="utf-8") as file:
            return json.load(file)["count"]
    except FileNotFoundError:
        return 0


def add():
    with lock:
        count = read() + 1
        with open(KEPT + ".new", "w", encoding="utf-8") as file:
            json.dump({"count": count}, file)
        os.replace(KEPT + ".new", KEPT)
    return count


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.answer(200, {"ok": True})
        elif self.path == "/api/count":
            self.answer(200, {"count": read()})
        else:
            self.answer(404, {"error": "there is no such thing"})

    def do_POST(self):
        if self.path != "/api/count":
            self.answer(404, {"error": "there is no such thing"})
        elif self.headers["X-Key"] != KEY:  # only the worker knows it
            self.answer(403, {"error": "only the worker may count"})
        else:
            self.answer(200, {"count": add()})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values):
        if DEBUG:
            print(text % values, file=sys.stderr, flush=True)


print(f"listening on 127.0.0.1:{PORT}", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Api).serve_forever()
'''
WORKER = '''\
#!/usr/bin/env python3
"""The worker: has the API count once a second."""

import os
import time
import urllib.request

COUNT = os.environ["API_URL"] + "/api/count"
KEY = os.environ["WORKER_KEY"]

first = True
while True:
    request = urllib.request.Request(COUNT, b"", {"X-Key": KEY}, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()
    if first:
        print("at work", flush=True)  # the bundle waits for this line
        first = False
    time.sleep(1)
'''
FILES = {"api/server.py": SERVER, "worker/worker.py": WORKER}
"""The programs; they run by their first line, on Windows by a file beside them."""
SUFFIX = ".py"
INTERPRETER = "python3"
ON_WINDOWS = "python"
