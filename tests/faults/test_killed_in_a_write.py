"""kill -9 at the very rename by which a file comes to stand that must not outlive the runtime."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, starting, wait_until
from tests.faults.scene import assert_nothing_on_disk
from tests.faults.tally import Tally

MOMENTS = {
    "made": "in the midst of",
    "before": "before the rename of",
    "after": "after the rename of",
}
RUN = """
import os
import signal
import sys

name, when = sys.argv[1:3]
del sys.argv[1:3]
rename = os.replace


def replace(source, target):
    ours = os.path.basename(target) == name
    if not ours or when == "after":
        rename(source, target)
    if ours:
        os.kill(os.getpid(), signal.SIGKILL)


os.replace = replace
open_file = os.open


def open_and_die(path, flags, *others, **named):
    fd = open_file(path, flags, *others, **named)
    if when == "made" and os.path.basename(path).startswith(f".{name}."):
        os.write(fd, b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return fd


os.open = open_and_die

from bundlevisor.control.__main__ import main

sys.exit(main())
"""


@pytest.mark.parametrize("folder", ["runtime", "keys/of-the-shell"])
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("name", ["auth-token", "ipc_port", "instance.json"])
def test_a_file_that_is_written_in_the_runtimes_last_moment_is_removed(
    tmp_path: Path, tally: Tally, name: str, when: str, folder: str
) -> None:
    """Neither it nor half of it is left, wherever the token lies."""
    ipc = {"mode": "loopback-http", "host": "127.0.0.1", "port": 0}
    made = bundle(tmp_path).set(ipc={**ipc, "auth_token_path": f"{folder}/auth-token"})
    made.service("db").write()
    command = (sys.executable, "-c", RUN, name, when)
    with starting(made, command=command) as run:
        assert run.wait_gone() == -signal.SIGKILL, run.stderr
        tally.cleaned(f"runtime SIGKILL {MOMENTS[when]} {name}", run)
        assert_nothing_on_disk(run)
        wait_until(lambda: not list(made.app_data.rglob(f"*{name}*")), what="removal of all of it")
