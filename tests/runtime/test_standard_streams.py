"""A shell may start the runtime without stdin, stdout or stderr: nothing else takes their place."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, running, starting
from tests.hidden import needs_look

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors with sh")


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 2)])
def test_without_a_stream_it_runs_until_it_is_asked_to_end(
    tmp_path: Path, closed: tuple[int, ...]
) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made, closed=closed) as run:
        run.until_ready()
        assert run.get("/status").status == 200
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert run.telemetry()[-1]["details"] == {"reason": "SIGTERM received"}


def test_without_any_stream_it_runs_too(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with starting(made, closed=(0, 1, 2)) as run:
        run.await_files()
        run.until_ready()
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@needs_look
def test_no_socket_and_no_file_of_the_runtime_becomes_a_standard_stream(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made, closed=(0, 2)) as run:
        run.until_ready()
        for descriptor in (0, 2):
            assert os.readlink(f"/proc/{run.pid}/fd/{descriptor}") == os.devnull
