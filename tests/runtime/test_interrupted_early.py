"""Ctrl-C in the first moments of a command, or of the control API, prints no trace of either."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from bundlevisor.control.run.runtime import Runtime
from tests.installed import ROOT

posix = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")

HEARD = """
import os, signal
from bundlevisor.control.__main__ import _end_on_interrupt
from bundlevisor.control.cli.dispatch import _heard_interrupts
_end_on_interrupt()
assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
try:
    with _heard_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("heard", signal.getsignal(signal.SIGINT) == signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.SIG_IGN)
_end_on_interrupt()
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
"""


@posix
def test_an_import_that_is_interrupted_ends_the_command_as_the_signal_does(tmp_path: Path) -> None:
    package = tmp_path / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    package = package / "site-packages" / "bundlevisor" / "control"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text("import os\nos.kill(os.getpid(), 2)\n")
    (tmp_path / "bin").mkdir()
    real = os.path.realpath(sys.executable)
    (tmp_path / "bin" / "python").symlink_to(real)
    (tmp_path / "pyvenv.cfg").write_text(f"home = {os.path.dirname(real)}\n")
    command = shutil.copy(ROOT / "packaging" / "bundlevisor", tmp_path / "bin" / "bundlevisor")
    done = subprocess.run([command, "version"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@posix
def test_a_command_hears_it_as_long_as_it_is_at_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEARD], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("heard True\nTrue\n", "")


@pytest.mark.parametrize("ends", [True, False])
def test_an_api_that_is_taken_down_before_it_is_up_has_not_failed(ends: bool) -> None:
    parts = Mock()
    parts.edges.launched.wait.side_effect = OSError(9, "Bad file descriptor")
    runtime = Runtime(parts)
    if ends:
        runtime._is_ending.set()
    runtime._serve(Mock())
    assert parts.console.fault.called is not ends
    assert parts.ending.ask.called is not ends
