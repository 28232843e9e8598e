"""A /proc with hidepid: the user sees neither the runtime nor its guardians, which hide memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import absent
from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until
from tests.installed import COMMAND

if sys.platform != "linux":
    pytest.skip("hidepid is Linux'", allow_module_level=True)

pytestmark = absent.unless(
    os.geteuid() == 0 and shutil.which("setpriv") and shutil.which("unshare"),
    "root, setpriv and unshare: to mount /proc, and to be a user from whom it hides",
)

USER = 54399
CAPABILITIES = "+dac_override,+dac_read_search"
"""As pyenv's interpreter is in /root."""
MOUNTED = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"'
AS_USER = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
AS_USER += ["--inh-caps", CAPABILITIES, "--ambient-caps", CAPABILITIES]
BLIND = ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", *AS_USER, *COMMAND]


@pytest.fixture
def over() -> Iterator[Path]:
    """The file that lets the service stop."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own lies in a folder for one user
        yield Path(name) / "over"


@pytest.fixture
def made(over: Path) -> Bundle:
    made = bundle(over.parent).service(
        "db", "stops_slowly", options={"stop_until": over}, stop={"timeout_ms": 60_000}
    )
    made.write()
    for path in (over.parent, *over.parent.rglob("*")):
        os.chown(path, USER, -1)
    return made


@pytest.fixture
def run(made: Bundle) -> Iterator[Run]:
    with starting(made, command=BLIND) as run:
        run.await_listening()
        run.until_ready()
        run.until_on_record()
        yield run


def test_a_shutdown_is_waited_for(run: Run, over: Path) -> None:
    words = [*BLIND, "shutdown", "--wait", "0.5", "--app-data", str(run.app_data)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    assert f"pid {run.pid} is still stopping" in done.stderr
    over.touch()
    assert run.wait_gone() == 0


def test_the_next_start_waits_for_a_guardian_at_work(made: Bundle, run: Run, over: Path) -> None:
    run.kill()
    with starting(made, app_data=run.app_data, command=BLIND) as second:
        second.until_said("waiting for the guardian of an earlier instance")
        assert not made.events("db", "exit")
        over.touch()
        second.await_listening()
        second.until_ready()
        assert made.events("db", "exit")
    wait_until(lambda: not run.leftovers(), what="the end of everything")
