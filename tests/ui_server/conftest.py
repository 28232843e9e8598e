from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.parent.ui_process import UiProcess, start
from tests.fresh_ports import fresh_port
from tests.waiting import wait_until

API = os.path.join(os.path.dirname(__file__), "programs", "api.py")
PATIENCE = 20.0


class Answer(msgspec.Struct):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition with a deadline; return what made it true."""
    return wait_until(condition, PATIENCE, what)


class Ui:
    """A UI server in a process of its own, as the runtime starts it."""

    def __init__(self, config: UiConfig, process: UiProcess, log: str) -> None:
        self.config = config
        self.process = process
        self.log_path = log

    @property
    def port(self) -> int:
        return self.config.port

    @property
    def log(self) -> str:
        with open(self.log_path, encoding="utf-8", errors="replace") as opened:
            return opened.read()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: Any = None,
        chunked: bool = False,
    ) -> Answer:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(client):
            client.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                client.putheader(name, value)
            if isinstance(body, bytes) and not chunked:
                client.putheader("Content-Length", str(len(body)))
            elif body is not None:
                client.putheader("Transfer-Encoding", "chunked")
            client.endheaders(body, encode_chunked=body is not None and not isinstance(body, bytes))
            got = client.getresponse()
            return Answer(got.status, got.getheaders(), got.read())

    def raw(self, request: bytes) -> bytes:
        """Send bytes, return everything until the server closes."""
        with self.connect() as client:
            client.sendall(request)
            return read_all(client)

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def wait(self) -> int:
        """The exit status."""
        status: list[int] = []

        def ended() -> bool:
            found = self.process.poll()
            if found is not None:
                status.append(found)
            return found is not None

        until(ended, "the UI server ends")
        return status[0]


def read_all(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(65536):
        received += piece
    return received


def listening_socket() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


class Serving:
    """Starts UI servers and ends them with the test."""

    def __init__(self, logs: str) -> None:
        self._logs = logs
        self._started: list[Ui] = []

    def __call__(self, root: os.PathLike[str] | str, **options: Any) -> Ui:
        listener = listening_socket()
        port = listener.getsockname()[1]
        return self.start(
            UiConfig(service_id="web", root=str(root), port=port, **options), listener
        )

    def start(self, config: UiConfig, listener: socket.socket | None) -> Ui:
        log = os.path.join(self._logs, f"ui-{config.port}-{len(self._started)}.log")
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        env = dict(os.environ, SERVICE_INSTANCE_ID=f"mark-{config.port}")
        try:
            process = start(config, output, env, listener)
        finally:
            os.close(output)
        ui = Ui(config, process, log)
        self._started.append(ui)
        return ui

    def close(self) -> None:
        for ui in self._started:
            alive = ui.process.poll() is None
            ui.process.close()
            assert ui.wait() == 0 or not alive
            assert "Traceback" not in ui.log, ui.log
            assert "Warning" not in ui.log, ui.log


@pytest.fixture
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(str(tmp_path_factory.mktemp("logs")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(str(tmp_path_factory.mktemp("logs")))
    yield made
    made.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_bytes(b"index")
    return tmp_path


class Api:
    """The API of the bundle, which can be killed and started again on another port."""

    def __init__(self, port: int = 0) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.port = self.start(port)

    def start(self, port: int = 0) -> int:
        self._process = subprocess.Popen(
            [sys.executable, API, str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self.port

    def kill(self) -> None:
        if self._process is None:
            return
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process = None

    def who_left(self) -> list[str]:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(client):
            client.request("GET", "/api/left")
            found: list[str] = json.loads(client.getresponse().read())
            return found


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.kill()


@pytest.fixture
def own_api() -> Iterator[Api]:
    """For tests that kill it, and may start it again on its port."""
    made = Api(fresh_port())
    yield made
    made.kill()


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], Any], str], Any]:
    return until
