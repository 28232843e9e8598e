"""Several pages in one process: each with its port, its log and its API, and each can go alone."""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import select
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.commands import Ending, PageAdded, PageGone
from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.parent.ui_process import UiProcess, start
from tests.ui_server.conftest import listening_socket, until

PAGES = 3


class Shared:
    """A server of several pages, as the runtime has it; ``news`` is what it says of them."""

    def __init__(self, folder: Path) -> None:
        self.ports: dict[str, int] = {}
        self.news: queue.SimpleQueue[commands.News] = queue.SimpleQueue()
        self._folder = folder
        self._process: UiProcess | None = None

    @property
    def process(self) -> UiProcess:
        assert self._process is not None
        return self._process

    def serve(self, page: str, root: Path | None = None, **options: Any) -> None:
        """Start it with its first page, or add one."""
        if root is None:
            root = self._folder / page
            root.mkdir(exist_ok=True)
            (root / "index.html").write_text(f"page {page}")
        listener = listening_socket()
        port = self.ports[page] = listener.getsockname()[1]
        config = UiConfig(service_id=page, root=str(root), port=port, **options)
        output = os.open(self._folder / f"{page}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            if self._process is None:
                env = dict(os.environ, SERVICE_INSTANCE_ID="mark")
                self._process = start(config, output, env, listener, page=page, pages=PAGES)
                self._ear = threading.Thread(target=self._hear, daemon=True)
                self._ear.start()
            else:
                self.process.add(page, config, listener, output)
                assert self.heard() in (PageAdded(page), PageGone(page, 1))
                listener.close()
        finally:
            os.close(output)

    def heard(self) -> commands.News:
        return self.news.get(timeout=20)

    def log(self, page: str) -> str:
        return (self._folder / f"{page}.log").read_text(encoding="utf-8")

    def connect(self, page: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.ports[page], timeout=20)

    def ask(self, page: str, path: str = "/") -> tuple[int, bytes]:
        with contextlib.closing(self.connect(page)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def is_refused(self, page: str) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.ports[page])) != 0

    def close(self) -> None:
        if self._process is not None:
            self.process.stop()
            until(lambda: self.process.poll() is not None, "the end of the server")
            self._ear.join(20)  # what is closed cannot be heard to its end
            self.process.close()

    def _hear(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.news.put(self.process.hear())


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    made = Shared(tmp_path)
    yield made
    made.close()


@pytest.fixture
def three(shared: Shared) -> Shared:
    shared.serve("a")
    assert shared.heard() == PageAdded("a")
    shared.serve("b")
    shared.serve("c")
    return shared


def test_each_page_is_served_and_says_so_in_its_own_log(three: Shared, tmp_path: Path) -> None:
    for page in "abc":
        assert three.ask(page) == (200, f"page {page}".encode())
        serving = f"serving {tmp_path / page} at http://127.0.0.1:{three.ports[page]}/"
        assert three.log(page).splitlines() == [f"ui server: {serving}"]


def test_each_page_has_its_own_api(three: Shared, api: Any) -> None:
    three.process.set_upstream(api.port, "b")
    until(lambda: three.ask("b", "/api/echo")[0] != 502, "the second page knows its API")
    assert [three.ask(page, "/api/echo")[0] for page in "ac"] == [502, 502]


def test_one_that_goes_leaves_the_connections_of_the_others_alone(three: Shared) -> None:
    with contextlib.closing(three.connect("b")) as kept:
        kept.request("GET", "/")
        kept.getresponse().read()
        ours = kept.sock.getsockname()
        three.process.tell(commands.RemovePage("a"))
        assert three.heard() == PageGone("a", 0)
        assert three.is_refused("a")
        kept.request("GET", "/")
        assert kept.getresponse().read() == b"page b"
        assert kept.sock.getsockname() == ours
    three.serve("a")
    assert three.ask("a") == (200, b"page a")


def test_one_that_is_dropped_does_not_finish_its_requests(three: Shared) -> None:
    with listening_socket() as silent, contextlib.closing(three.connect("a")) as asking:
        three.process.set_upstream(silent.getsockname()[1], "a")
        until(lambda: asked_in_vain(asking, silent), "a request under way")
        three.process.tell(commands.DropPage("a"))
        assert three.heard() == PageGone("a", 1)
        with pytest.raises((http.client.HTTPException, OSError)):
            asking.getresponse()
    assert three.ask("b") == (200, b"page b")


def asked_in_vain(connection: http.client.HTTPConnection, silent: socket.socket) -> bool:
    """Ask what nobody answers, once the page knows the API that does not."""
    connection.request("GET", "/api/never")
    if silent in select.select([silent, connection.sock], [], [], 20)[0]:
        return True
    connection.getresponse().read()
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 there")
def test_a_folder_whose_name_is_no_utf_8_is_served_and_named(three: Shared, tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"odd\xff")
    root.mkdir()
    (root / "index.html").write_text("odd")
    three.serve("d", root)
    assert three.ask("d") == (200, b"odd")
    assert r"odd\xff at http" in three.log("d")


def test_one_that_cannot_be_served_is_alone_in_it(three: Shared, tmp_path: Path) -> None:
    three.serve("d", tmp_path / "nowhere")
    assert "folder to serve not found" in three.log("d")
    assert three.ask("a") == (200, b"page a")
    assert three.process.poll() is None


def test_the_first_page_that_cannot_be_served_does_not_end_it(
    shared: Shared, tmp_path: Path
) -> None:
    shared.serve("a", tmp_path / "nowhere")
    assert shared.heard() == PageGone("a", 1)
    assert "folder to serve not found" in shared.log("a")
    shared.serve("b")
    assert shared.ask("b") == (200, b"page b")


def test_a_stop_is_told_for_each_and_then_it_ends(three: Shared) -> None:
    three.process.stop()
    assert three.heard() == Ending()
    gone = {three.heard() for _ in "abc"}
    assert gone == {PageGone(page, 0) for page in "abc"}
    until(lambda: three.process.poll() is not None, "the end of the server")
    assert three.process.poll() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is seen in /proc")
def test_what_concerns_no_page_goes_to_the_log_of_the_oldest(three: Shared) -> None:
    def log_of(descriptor: int) -> str:
        return os.path.basename(os.readlink(f"/proc/{three.process.pid}/fd/{descriptor}"))

    assert [log_of(1), log_of(2)] == ["a.log", "a.log"]
    three.process.tell(commands.RemovePage("b"))
    assert three.heard() == PageGone("b", 0)
    assert [log_of(1), log_of(2)] == ["a.log", "a.log"]
    three.process.tell(commands.RemovePage("a"))
    assert three.heard() == PageGone("a", 0)
    assert [log_of(1), log_of(2)] == ["c.log", "c.log"]
    folder = f"/proc/{three.process.pid}/fd"
    logs = {os.path.basename(os.readlink(f"{folder}/{fd}")) for fd in os.listdir(folder)}
    assert not logs & {"a.log", "b.log"}, "the logs of those that are gone can end"


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are counted otherwise there")
def test_pages_that_come_and_go_leave_nothing_open(three: Shared) -> None:
    def count() -> int:
        return int(psutil.Process(three.process.pid).num_fds())

    before = count()
    for _ in range(5):
        three.process.tell(commands.RemovePage("c"))
        assert three.heard() == PageGone("c", 0)
        three.serve("c")
    until(lambda: count() <= before, "what the pages had is closed")


def test_orders_about_a_page_that_is_not_there_are_nothing(three: Shared) -> None:
    three.process.set_upstream(1, "nobody")
    three.process.tell(commands.RemovePage("nobody"))
    three.process.tell(commands.DropPage("nobody"))
    assert three.ask("a") == (200, b"page a")
