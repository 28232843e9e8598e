"""A page before an API, and upstreams that say what they are told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptor import Acceptor

MIB = 1024 * 1024
PAGE = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    (root / "index.html").write_bytes(b"index")
    (root / "api").mkdir()
    (root / "api" / "shadow.txt").write_bytes(b"a file under the API's path")
    return root


@pytest.fixture(scope="module")
def ui(module_serving: Any, root: Path, api: Any) -> Any:
    return module_serving(root, upstream=api.port)


class Raw:
    """An upstream that says exactly these bytes on each connection, then closes it or hangs."""

    def __init__(self, *scripts: bytes, hang: bool = False) -> None:
        self.requests: list[bytes] = []
        self._scripts = list(scripts)
        self._hang = hang
        self._kept: list[socket.socket] = []
        self._acceptor = Acceptor(self._serve)
        self.port = self._acceptor.port

    def _serve(self, client: socket.socket) -> None:
        if not self._scripts:
            self._kept.append(client)
            return
        request = b""
        while b"\r\n\r\n" not in request and (piece := client.recv(65536)):
            request += piece
        if self._hang:
            self._kept.append(client)
        self.requests.append(request)
        client.sendall(self._scripts.pop(0))
        if not self._hang:
            client.close()

    def say(self, words: bytes) -> None:
        """Say more on the first connection, which hangs."""
        self._kept[0].sendall(words)

    def close(self) -> None:
        self._acceptor.close()
        for client in self._kept:
            client.close()


@pytest.fixture
def raw() -> Iterator[Callable[..., Raw]]:
    made: list[Raw] = []

    def make(*scripts: bytes, hang: bool = False) -> Raw:
        made.append(Raw(*scripts, hang=hang))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()
