"""What a command says of an error of the system: which file it is about, or the answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.control.cli.dispatch import what_failed
from tests.installed import COMMAND


def test_an_error_about_a_file_is_not_one_about_the_answer() -> None:
    assert what_failed(OSError(2, "No such file", "/proc/stat")) == "/proc/stat: No such file"
    assert what_failed(OSError(28, "No space")) == "cannot write the answer: No space"


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed there")
def test_a_folder_that_was_removed_below_a_command_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = 'cd "$0"; rmdir "$0"; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, str(tmp_path / "gone"), *COMMAND, "validate"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "has been removed; go to another one" in done.stderr
