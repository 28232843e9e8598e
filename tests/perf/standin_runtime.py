"""A small runtime for the kit's own tests: just enough of the control API, of order and restarts.

standin_runtime.py MANIFEST APP_DATA
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


def is_free(port: int) -> bool:
    with socket.socket() as attempt, suppress(OSError):
        attempt.bind(("127.0.0.1", port))
        return True
    return False


class Bundle:
    def __init__(self, manifest: str, app_data: str) -> None:
        with open(manifest, encoding="utf-8") as file:
            self.content = json.load(file)
        self.root, self.app_data = os.path.dirname(manifest), app_data
        block = self.content["ports"]["default_range"]
        free = (port for port in range(block["min"], block["max"] + 1) if is_free(port))
        self.services = {service["id"]: service for service in self.content["services"]}
        self.ports = {name: next(free) for name in self.services}
        self.ready = {name: threading.Event() for name in self.services}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def run(self, name: str) -> None:
        service = self.services[name]
        for need in service["dependencies"]:
            self.ready[need].wait()
        while not self.stopping:
            self.processes[name] = process = subprocess.Popen(self.argv(service))
            while process.poll() is None and not self.listens(self.ports[name]):
                time.sleep(0.002)
            self.ready[name].set()
            process.wait()

    def argv(self, service: dict[str, Any]) -> list[str]:
        binary = service["binaries"]["linux-x64"]
        port = str(self.ports[service["id"]])
        places = {"${data}": self.app_data, f"${{{service['id']}.http}}": port}
        words = binary["args"]
        for place, value in places.items():
            words = [word.replace(place, value) for word in words]
        return [os.path.join(self.root, binary["path"]), *words]

    def listens(self, port: int) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", port)) == 0

    def stop(self) -> None:
        self.stopping = True
        for name in reversed(self.services):
            self.processes[name].terminate()
            self.processes[name].wait()


def answering(bundle: Bundle, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/healthz":
                return self.answer(200, {"status": "ok"})
            if self.headers["Authorization"] != f"Bearer {token}":
                return self.answer(401, {"error": "no token"})
            if path == "/ports":
                ports = {name: {"http": port} for name, port in bundle.ports.items()}
                return self.answer(200, {"services": ports})
            if "wait=" in self.path:
                for event in bundle.ready.values():
                    event.wait(30)
            details = {name: {"ready": event.is_set()} for name, event in bundle.ready.items()}
            ready = all(one["ready"] for one in details.values())
            return self.answer(200, {"ready": ready, "details": details})

        def answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main(manifest: str, app_data: str) -> None:
    bundle = Bundle(manifest, app_data)
    ipc = bundle.content["ipc"]
    token_path = os.path.join(app_data, ipc["auth_token_path"])
    os.makedirs(os.path.dirname(token_path), exist_ok=True)
    with open(token_path, "w", encoding="ascii") as file:
        file.write("stand-in")
    server = ThreadingHTTPServer((ipc["host"], ipc["port"]), answering(bundle, "stand-in"))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    for name in bundle.services:
        threading.Thread(target=bundle.run, args=(name,), daemon=True).start()
    stopped.wait()
    bundle.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
