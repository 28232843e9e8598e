"""How fast does the UI server start, and how many requests does it answer?

Three targets: a small file, a file of 10 MB and a call of the API through the proxy. They are
compared with nginx where it is installed, files also with ``python -m http.server``, the call with
the API asked directly; the API answers at once, so that the difference is the proxy. http.server is
asked on one connection only: it closes each and lets five wait, so that with eight TCP's second
attempt, a second later, would be measured. The start is from ``start()`` to the first byte of
index.html, with the socket handed over listening. Memory is that of the server (PSS) after the
load. With ``--pages`` several pages share its process, and the one that came last is asked.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import msgspec

from bundlevisor.perf import client, options, processes, results
from bundlevisor.perf.questions import ui_nginx
from bundlevisor.perf.questions.ui_pages import PageServer
from bundlevisor.perf.results import Measure, Samples

SMALL, BIG = 4_096, 10_000_000
CONNECTIONS = (1, 8)
TARGETS = {
    "/index.html": "small file (4 KiB)",
    "/big.bin": "10 MB file",
    "/api/x": "call of the API",
}
OURS, PLAIN, DIRECT = "UI server", "python -m http.server", "the API directly"
MEMORY = "memory after the load"
START, FIRST_BYTE = "start() returns", "start() → first byte of index.html"
FURTHER = "a further page: add() → index.html"


class Serving(msgspec.Struct, frozen=True):
    """A server that runs: port and process, and what is asked there on how many connections."""

    port: int
    pid: int
    paths: tuple[str, ...]
    connections: tuple[int, ...] = CONNECTIONS


class Download:
    """One connection, which counts what it receives instead of keeping it."""

    def __init__(self, port: int, path: str, ready: selectors.BaseSelector) -> None:
        self._port = port
        self._message = client.request(path, port)
        self._ready = ready
        self._buffer = bytearray(1 << 20)
        self._left = 0
        self._socket: socket.socket | None = None
        self._kept = True
        self.asked = 0.0

    def ask(self) -> None:
        """Send the request, on a new connection where the server closes after each answer."""
        self._left = -1
        self.asked = time.perf_counter()
        if self._socket is None:
            self._socket = client.connect(self._port)
            if self._socket is None:
                raise ConnectionError(f"port {self._port} refused a connection")
            self._ready.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(self._message)

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._ready.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def take(self) -> bool:
        """Read what has come; True at the end of the answer. RuntimeError unless it is a 200."""
        assert self._socket is not None
        count = self._socket.recv_into(self._buffer)
        if count == 0:
            raise ConnectionError("closed by the server")
        if self._left < 0:
            self._begin(bytes(self._buffer[:count]))
        else:
            self._left -= count
        if self._left == 0 and not self._kept:
            self.close()
        return self._left == 0

    def _begin(self, received: bytes) -> None:
        head, _, body = received.partition(b"\r\n\r\n")
        version, status, _ = head.split(None, 2)
        if status != b"200":
            raise RuntimeError(f"answered {head[:200]!r}")
        length = head.lower().partition(b"content-length:")[2].split(None, 1)[0]
        self._left = int(length) - len(body)
        self._kept = version == b"HTTP/1.1"


def load(port: int, path: str, connections: int, seconds: float) -> tuple[float, list[float]]:
    """Ask for ``seconds``; return answers per second, and their latencies in ms."""
    latencies: list[float] = []
    with selectors.DefaultSelector() as ready, contextlib.ExitStack() as open_sockets:
        for _ in range(connections):
            download = Download(port, path, ready)
            open_sockets.callback(download.close)
            download.ask()
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            for key, _ in ready.select(1.0):
                if key.data.take():
                    latencies.append((time.perf_counter() - key.data.asked) * 1000)
                    key.data.ask()
        return len(latencies) / (time.perf_counter() - began), latencies


def starts(root: str, runs: int, pages: int) -> Samples:
    """Start it ``runs`` times; the first one of the process, which imports, is not counted."""
    sample: Samples = {START: [], FIRST_BYTE: []}
    if pages > 1:
        sample[FURTHER] = []
    for run in range(runs + 1):
        began = time.perf_counter()
        server = PageServer(root, pages=pages)
        try:
            server.check(server.ports[0])
            first = (time.perf_counter() - began) * 1000
            further = [server.add() for _ in range(pages - 1)]
        finally:
            server.end()
        if run:
            sample[START].append(server.returned)
            sample[FIRST_BYTE].append(first)
            if further:
                sample[FURTHER] += further
    return sample


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run another server, killed afterwards; its log, a line per request, goes nowhere."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def servers(root: str, pages: int) -> Iterator[dict[str, Serving]]:
    """Run all servers, by name; of ours the page that came last is asked."""
    files = ("/index.html", "/big.bin")
    with contextlib.ExitStack() as stack:
        api = stack.enter_context(
            running(sys.executable, "-m", "bundlevisor.perf.questions.ui_api")
        )
        assert api.stdout is not None
        api_port = int(api.stdout.readline())
        ours = PageServer(root, api_port, pages)
        stack.callback(ours.end)
        for _ in range(pages - 1):
            ours.add()
        plain_port = _free_port()
        arguments = (str(plain_port), "--bind", "127.0.0.1")
        module = (sys.executable, "-u", "-m", "http.server", *arguments, "--directory", root)
        plain = stack.enter_context(running(*module))
        assert plain.stdout is not None
        plain.stdout.readline()
        found = {OURS: Serving(ours.ports[-1], ours.pid, (*files, "/api/x"))}
        if ui_nginx.is_there():
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="perf-nginx-"))
            other = _free_port()
            pid = stack.enter_context(ui_nginx.serving(root, other, api_port, folder))
            found[ui_nginx.NAME] = Serving(other, pid, (*files, "/api/x"))
        yield found | {
            PLAIN: Serving(plain_port, plain.pid, files, connections=(1,)),
            DIRECT: Serving(api_port, api.pid, ("/api/x",)),
        }


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _measures() -> dict[str, Measure]:
    found = {name: Measure(title=name) for name in (START, FIRST_BYTE)}
    found[FURTHER] = Measure(title=FURTHER, pooled=True)
    found[MEMORY] = Measure(title=MEMORY, unit="MiB")
    for path, title in TARGETS.items():
        for count in CONNECTIONS:
            by = f"{title}, {count} connection{'s' * (count > 1)}"
            found[f"{path}*{count} rate"] = Measure(
                title=f"{by}: rate", unit="1/s", more_is_better=True
            )
            found[f"{path}*{count}"] = Measure(title=f"{by}: latency", pooled=True)
    return found


def _loads(one: Serving, seconds: float) -> Samples:
    sample: Samples = {}
    for path in one.paths:
        for count in one.connections:
            load(one.port, path, count, seconds / 10)
            rate, latencies = load(one.port, path, count, seconds)
            sample[f"{path}*{count} rate"] = [rate]
            sample[f"{path}*{count}"] = latencies
    return sample


def _write_site(root: str) -> None:
    for name, size in (("index.html", SMALL), ("big.bin", BIG)):
        with open(os.path.join(root, name), "wb") as file:
            file.write(os.urandom(size))


def _shared(pages: int) -> str:
    return f", {pages} pages in one process" if pages > 1 else ""


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf ui``."""
    parser = argparse.ArgumentParser(prog="python -m bundlevisor.perf ui", description=__doc__)
    parser.add_argument(
        "--runs", type=options.positive, default=3, help="rounds of load (%(default)s)"
    )
    parser.add_argument("--starts", type=options.positive, default=10, help="starts (%(default)s)")
    parser.add_argument("--seconds", type=options.span, default=0.5, help="per case (%(default)s)")
    parser.add_argument(
        "--pages", type=options.positive, default=1, help="pages in one process (%(default)s)"
    )
    options.add_keeping(parser, "ui")
    parsed = parser.parse_args(argv)
    result = results.begin(
        question="ui",
        bundle=f"a folder and an API{_shared(parsed.pages)}",
        measures=_measures(),
        notes=["the asking client is a process of the same machine and takes its share"],
    )
    with tempfile.TemporaryDirectory(prefix="perf-ui-") as root:
        _write_site(root)
        result.add(OURS, starts(root, parsed.starts, parsed.pages))
        with servers(root, parsed.pages) as found:
            cases = sum(len(one.paths) * len(one.connections) for one in found.values())
            took = 1.1 * parsed.runs * cases * parsed.seconds
            print(f"asking {len(found)} servers for about {took:.0f} s …", file=sys.stderr)
            for _ in range(parsed.runs):
                for name, one in found.items():
                    result.add(name, _loads(one, parsed.seconds))
                    memory = processes.memory_bytes([one.pid]) / 2**20
                    result.add(name, {MEMORY: [memory]})
    return options.finish(parsed, result)
