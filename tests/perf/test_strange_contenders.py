"""Contenders that do not do what is measured: each is a failure in a sentence."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.perf import client, contender, milestones, options, processes
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, ContenderError, Run, installed
from bundlevisor.perf.questions import api, attack

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in runtime is for POSIX")

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = (sys.executable, "-I", "-S")
COMMAND = shlex.join([*PYTHON, f"{HERE}/standin_runtime.py", "{manifest}", "{app_data}"])
STANDIN = Contender("stand-in", COMMAND)

LIAR = """
import http.server, json, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"ready": true, "details": {}}'
        self.send_response(404 if self.path == "/nothing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
port = json.load(open(sys.argv[1]))["ipc"]["port"]
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.fixture
def bundle() -> Iterator[Bundle]:
    with options.made("chain2") as (made, _):
        yield made


def test_a_runtime_that_says_ready_and_started_nothing_is_a_failure(bundle: Bundle) -> None:
    liar = Contender("liar", shlex.join([*PYTHON, "-c", LIAR, "{manifest}"]))
    with pytest.raises(ContenderError, match="liar: said to be ready, but never started: s0, s1"):
        milestones.measure(liar, bundle)


def test_a_runtime_that_does_not_stop_is_a_failure(bundle: Bundle) -> None:
    with Run(STANDIN, bundle) as run:
        run.get_up()
        run.process.send_signal(signal.SIGSTOP)
        with pytest.raises(ContenderError, match=r"asked to stop, it ran on for 0\.1 s"):
            run.terminate(timeout=0.1)
        run.process.kill()


def test_a_port_that_another_program_has_is_not_taken_for_the_runtimes(bundle: Bundle) -> None:
    with (
        socket.create_server(("127.0.0.1", bundle.port)),
        Run(installed("command"), bundle) as run,
    ):
        run.get_up()
        assert run.port != bundle.port


def test_a_process_that_has_gone_took_its_processor_time_along(bundle: Bundle) -> None:
    with Run(STANDIN, bundle) as run:
        with pytest.raises(ContenderError, match="a process of it ended while it was watched"):
            run.cpu_seconds([2**22 + 1])
        assert processes.memory_bytes([2**22 + 1]) == 0


def test_an_attack_that_breaks_off_is_no_attack_that_was_withstood(bundle: Bundle) -> None:
    with Run(STANDIN, bundle) as run:
        run.get_up()
        with pytest.raises(ContenderError, match="the attack 'none' by 1 connections broke off"):
            attack.beside(run, "none", 1, 0.0)


def test_a_path_that_a_runtime_does_not_know_is_a_failure(bundle: Bundle) -> None:
    with Run(Contender("liar", shlex.join([*PYTHON, "-c", LIAR, "{manifest}"])), bundle) as run:
        run.get_up()
        with pytest.raises(ContenderError, match="liar: asked for /nothing: answered 404"):
            api.asked(run, "/nothing", 1, 0.0)


def test_what_speaks_no_http_has_no_answer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"hello\r\n\r\n")
        assert client.exchange(ours, client.request("/healthz", 1)) is None


def test_a_start_that_is_interrupted_at_once_leaves_nothing(bundle: Bundle, tmp_path: Path) -> None:
    words = f"""
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf import bundles
bundle = bundles.existing({bundle.manifest!r})
run = Run(Contender("stand-in", {COMMAND!r}), bundle)
print(run.mark, flush=True)
raise KeyboardInterrupt
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", words], env=environment, capture_output=True, check=False
    )
    assert done.stdout, done.stderr
    assert processes.marked(contender.MARK, done.stdout.decode().strip(), str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
