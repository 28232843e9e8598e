"""The process itself: how it begins, what it inherits, and how it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.actors.ui_server.config import UiConfig, configure
from bundlevisor.testing.ports import free_block

PARENT = os.path.join(os.path.dirname(__file__), "programs", "parent.py")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    root.mkdir()
    (root / "index.html").write_bytes(b"index")
    return root


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_the_runtimes_end_is_cheap_to_import() -> None:
    heavy = ("multiprocessing", "aiohttp", "asyncio", "ssl", "json", "pathlib", "subprocess")
    code = (
        "import sys, msgspec; before = set(sys.modules)\n"
        "import bundlevisor.actors.ui_server.parent.ui_process\n"
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_connections_wait_in_a_listening_socket_until_it_serves(serving: Any, root: Path) -> None:
    ui = serving(root)
    assert ui.ask("/").body == b"index"
    assert f"ui server: serving {root} at http://127.0.0.1:{ui.port}/\n" in ui.log


def test_connections_to_a_bound_socket_are_refused_until_it_serves(
    serving: Any, root: Path, until: Any
) -> None:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    ui = serving.start(UiConfig(service_id="web", root=str(root), port=port), bound)
    assert bound.fileno() == -1, "the socket was taken over"

    until(lambda: not is_refused(port), "the port is open")
    assert ui.ask("/").status == 200


def test_without_a_socket_it_takes_the_port_itself(serving: Any, root: Path, until: Any) -> None:
    ui = serving.start(UiConfig(service_id="web", root=str(root), port=free_block(1)), None)
    until(lambda: "serving" in ui.log, "it says that it serves")
    assert ui.ask("/").status == 200


def test_a_port_in_use_is_said_and_ends_it(serving: Any, root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ui = serving.start(UiConfig(service_id="web", root=str(root), port=port), None)
        assert ui.wait() == 1
    assert f"service 'web': cannot listen on 127.0.0.1:{port}: " in ui.log
    assert "address already in use" in ui.log


def test_a_missing_folder_is_said_and_ends_it(serving: Any, tmp_path: Path) -> None:
    ui = serving(tmp_path / "nowhere")
    assert ui.wait() == 1
    assert "service 'web': folder to serve not found: " in ui.log


@posix_only
def test_it_has_a_session_the_mark_and_its_log_and_nothing_else_of_ours(
    serving: Any, root: Path
) -> None:
    with open(root / "index.html", "rb") as ours:
        os.set_inheritable(ours.fileno(), True)
        ui = serving(root)
        assert ui.ask("/").status == 200
        process = psutil.Process(ui.process.pid)
        assert os.getsid(ui.process.pid) == ui.process.pid
        assert process.environ()["SERVICE_INSTANCE_ID"] == f"mark-{ui.port}"
        assert [opened.path for opened in process.open_files()] == [ui.log_path] * 2
        assert process.children() == []
        assert [c.laddr.port for c in process.net_connections() if c.status == "LISTEN"] == [
            ui.port
        ]


def test_it_starts_no_helper_process(serving: Any, root: Path) -> None:
    before = set(psutil.Process().children())
    ui = serving(root)
    assert ui.ask("/").status == 200
    assert [child.pid for child in set(psutil.Process().children()) - before] == [ui.process.pid]


@posix_only
def test_it_has_exactly_the_environment_that_it_is_given(root: Path, until: Any) -> None:
    os.environ["TOKEN_OF_THE_RUNTIME"] = "secret"
    try:
        from bundlevisor.actors.ui_server.parent.ui_process import start

        config = UiConfig(service_id="web", root=str(root), port=free_block(1))
        process = start(config, 2, {"SERVICE_ID": "web", "PYTHONHOME": "/nowhere"})
        environ = until(psutil.Process(process.pid).environ, "exec is over")
        process.close()
        until(lambda: process.poll() is not None, "the server ends")
        assert process.poll() == 0, "a service's PYTHONHOME does not break the server"
    finally:
        del os.environ["TOKEN_OF_THE_RUNTIME"]
    assert environ["SERVICE_ID"] == "web"
    assert {name for name in environ if not name.startswith("PYTHON")} == {"SERVICE_ID"}


@posix_only
def test_sigterm_ends_it_in_order_although_a_connection_is_kept_alive(
    serving: Any, root: Path
) -> None:
    ui = serving(root)
    silent = ui.connect()
    idle = http.client.HTTPConnection("127.0.0.1", ui.port)
    idle.request("GET", "/")
    assert idle.getresponse().read() == b"index"
    os.kill(ui.process.pid, signal.SIGTERM)
    assert ui.wait() == 0
    with pytest.raises(ConnectionError):
        ui.ask("/")
    idle.close()
    silent.close()


@posix_only
def test_a_request_under_way_is_answered_before_the_end(
    serving: Any, root: Path, api: Any, until: Any
) -> None:
    def is_answered() -> bool:
        ui = serving(root, upstream=api.port)
        with ui.connect() as client, contextlib.suppress(ConnectionError):
            client.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = client.recv(65536)
            assert b"200 OK" in received
            os.kill(ui.process.pid, signal.SIGTERM)
            until(lambda: is_refused(ui.port), "the end has begun")
            with socket.create_connection(("127.0.0.1", api.port)) as direct:
                direct.sendall(b"GET /api/tick?text=late HTTP/1.1\r\nHost: x\r\n\r\n")
                direct.recv(65536)
            while b"data: late" not in received and (piece := client.recv(65536)):
                received += piece
        assert ui.wait() == 0, "an endless answer does not hold it up"
        return b"data: late" in received

    # An answer has 0.6 s from the signal on, in which all three have to be given the processor.
    assert any(is_answered() for _ in range(5))


@posix_only
def test_a_signal_before_it_serves_ends_it_at_once(serving: Any, root: Path) -> None:
    ui = serving(root)
    os.kill(ui.process.pid, signal.SIGTERM)
    assert ui.wait() in (0, -signal.SIGTERM)


@posix_only
def test_an_end_by_a_signal_is_a_negative_status(serving: Any, root: Path) -> None:
    ui = serving(root)
    assert ui.process.poll() is None
    os.kill(ui.process.pid, signal.SIGKILL)
    assert ui.wait() == -signal.SIGKILL
    ui.process.set_upstream(5)
    ui.process.stop()
    ui.process.close()
    ui.process.set_upstream(None)
    ui.process.close()


def test_an_order_to_stop_ends_it(serving: Any, root: Path) -> None:
    ui = serving(root)
    assert ui.ask("/").status == 200
    ui.process.stop()
    assert ui.wait() == 0


def test_closing_the_pipe_ends_it(serving: Any, root: Path) -> None:
    ui = serving(root)
    assert ui.ask("/").status == 200
    ui.process.close()
    assert ui.wait() == 0


def parent(root: Path, port: int, **told: Any) -> tuple[subprocess.Popen[str], int, list[str]]:
    process = subprocess.Popen(
        [sys.executable, PARENT, json.dumps({"root": str(root), "port": port, **told})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip(), process.stdout.readline().strip()]
    pid = int(said[1])
    said.append(process.stdout.readline().strip())
    return process, pid, said


def finish(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()


def has_ended(server: psutil.Process) -> bool:
    """Whether it runs no more; whoever adopted it may not have reaped it yet."""
    try:
        return server.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_runtime_that_is_killed_takes_it_along(root: Path, until: Any) -> None:
    process, pid, _ = parent(root, free_block(1))
    server = psutil.Process(pid)
    finish(process)
    until(lambda: has_ended(server), "the server ends")


def test_the_runtimes_main_module_is_not_imported_again(root: Path) -> None:
    port = free_block(1)
    process, _, said = parent(root, port)
    finish(process)
    assert said[0] == "main __main__"
    assert said[2] == f"ui server: serving {root} at http://127.0.0.1:{port}/"


@posix_only
def test_signals_that_the_runtime_ignores_and_blocks_still_end_it(root: Path, until: Any) -> None:
    process, pid, _ = parent(root, free_block(1), deaf=True)
    server = psutil.Process(pid)
    os.kill(pid, signal.SIGTERM)
    until(lambda: has_ended(server), "the server ends")
    assert process.poll() is None
    finish(process)


def test_a_configuration_is_made_from_a_service_and_its_metadata() -> None:
    config = configure(
        service_id="web",
        root="/bundle/ui",
        port=47001,
        upstream=47002,
        health_path="/well",
        metadata={
            "content_security_policy": "default-src 'self'",
            "response_timeout_ms": 5,
            "max_connections": 7,
        },
    )
    assert config == UiConfig(
        service_id="web",
        root="/bundle/ui",
        port=47001,
        upstream=47002,
        content_security_policy="default-src 'self'",
        response_timeout_ms=5,
        max_connections=7,
        health_path="/well",
    )
