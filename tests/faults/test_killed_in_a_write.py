"""kill -9 at the very rename by which a file comes to stand that must not outlive the runtime."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, starting
from tests.faults.scene import assert_nothing_on_disk
from tests.faults.tally import Tally

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

from bundlevisor.control.__main__ import main

sys.exit(main())
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["auth-token", "ipc_port", "instance.json"])
def test_a_file_that_is_renamed_in_the_runtimes_last_moment_is_removed(
    tmp_path: Path, tally: Tally, name: str, when: str
) -> None:
    made = bundle(tmp_path).service("db").write()
    command = (sys.executable, "-c", RUN, name, when)
    with starting(made, command=command) as run:
        assert run.wait_gone() == -signal.SIGKILL, run.stderr
        tally.cleaned(f"runtime SIGKILL {when} the rename of {name}", run)
        assert_nothing_on_disk(run)
