"""A folder that is none of ours is neither removed nor taken for one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging import bare_root

SCRIPTS = bare_root.ROOT / "packaging"


@pytest.mark.parametrize(
    "words",
    [
        ("folder.py", "--target", "linux-x64", "--python", "nowhere", "--output"),
        ("exercise.py", "nowhere", "--work"),
    ],
)
def test_what_is_made_anew_is_not_somebody_elses(tmp_path: Path, words: tuple[str, ...]) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    done = run(*words, str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path} would be removed, and holds something else" in done.stdout + done.stderr
    assert precious.exists()


def test_what_is_no_folder_of_ours_cannot_be_checked(tmp_path: Path) -> None:
    done = run("check.py", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{tmp_path} cannot be checked: ")


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ``packaging/``."""
    command = [sys.executable, str(SCRIPTS / script), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
