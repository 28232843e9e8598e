"""What a shell can ask while the server of the control API is not imported yet."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from tests.bundle_maker import bundle, starting
from tests.control.wire import read_answer, status_of

HOLDING = """
import os, sys, time
sys.path[:0] = {path!r}
def hear(event, arguments):
    if event == "import" and arguments[0] == "waitress":
        while not os.path.exists({go!r}):
            time.sleep(0.001)
sys.addaudithook(hear)
from bundlevisor.control.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
HOST = "Host: localhost\r\n"


def test_health_is_told_before_the_server_is_there_and_who_asked_more_is_answered_then(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).write()
    go = tmp_path / "go"
    path = [str(Path(__file__).parents[2]), *(p for p in sys.path if p.endswith("site-packages"))]
    code = HOLDING.format(path=path, go=str(go))
    with starting(made, command=[sys.executable, "-I", "-S", "-c", code]) as run:
        run.await_listening()
        assert run.get("/healthz", token=None).json()["services"] == 2
        with (
            socket.create_connection((run.host, run.port), timeout=60) as kept,
            socket.create_connection((run.host, run.port), timeout=60) as waiting,
        ):
            kept.sendall(f"GET /healthz HTTP/1.1\r\n{HOST}\r\n".encode())
            assert status_of(read_answer(kept)) == 200
            ports = f"GET /ports HTTP/1.1\r\n{HOST}Authorization: Bearer {run.token}\r\n\r\n"
            waiting.sendall(ports.encode())
            kept.sendall(ports.encode())
            go.touch()
            assert status_of(read_answer(waiting)) == 200
            assert status_of(read_answer(kept)) == 200
        assert run.until_ready()["ready"]
