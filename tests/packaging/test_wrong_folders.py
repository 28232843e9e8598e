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


def test_an_interpreter_that_is_newer_than_ours_is_refused(tmp_path: Path) -> None:
    headers = tmp_path / "include" / "python3.99"
    headers.mkdir(parents=True)
    (headers / "Python.h").touch()
    numbers = {"PY_MAJOR_VERSION": 3, "PY_MINOR_VERSION": 99, "PY_MICRO_VERSION": 0}
    lines = [f"#define {name} {number}\n" for name, number in numbers.items()]
    (headers / "patchlevel.h").write_text("".join(lines))
    words = ("--target", "linux-x64", "--python", str(tmp_path), "--output", str(tmp_path / "out"))
    done = run("folder.py", *words)
    assert done.returncode == 1
    assert done.stderr.endswith(
        "has a library that this Python is too old to read: use python3.99\n"
    )


def test_what_is_no_folder_of_ours_cannot_be_checked(tmp_path: Path) -> None:
    done = run("check.py", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{tmp_path} cannot be checked: ")


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"target": "linux-x64"}'])
def test_what_has_no_list_of_ours_cannot_be_checked(tmp_path: Path, content: str) -> None:
    (tmp_path / "files.json").write_text(content)
    done = run("check.py", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path} cannot be checked: ")


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ``packaging/``."""
    command = [sys.executable, str(SCRIPTS / script), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
