"""Few files, little memory, few processes: a sentence and exit code 1, and nothing is left."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import absent
from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until
from tests.installed import COMMAND

if sys.platform != "linux":
    pytest.skip("limits as Linux has them", allow_module_level=True)

WORDS = ("cannot start", "could not be started")
CAPABILITIES = "+dac_override,+dac_read_search"
OTHER_USER = 54321


def limited(limit: str) -> Sequence[str]:
    return ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *COMMAND]


def many(folder: Path, count: int) -> Bundle:
    made = bundle(folder)
    for number in range(count):
        made.service(f"s{number}")
    return made.write()


def end(run: Run) -> int:
    """Return the exit code of a start that may fail; otherwise it is stopped when it is decided."""
    wait_until(
        lambda: (
            run.process.poll() is not None
            or any(word in run.stderr for word in (" is ready", "gave up: "))
        ),
        60,
        "an end, a service, or why there is none",
        story=lambda: run.stderr,
    )
    if run.process.poll() is None and not any(word in run.stderr for word in WORDS):
        run.process.terminate()
    code = run.wait_gone(30)
    wait_until(lambda: not run.leftovers(), what="the end of everything")
    return code


@pytest.mark.parametrize("files", [16, 24, 48, 64, 80, 128])
def test_too_few_open_files_are_told_before_anything_is_started(tmp_path: Path, files: int) -> None:
    with starting(many(tmp_path, 20), command=limited(f"-n {files}")) as run:
        assert run.wait_gone() == 1
        wait_until(lambda: not run.leftovers(), what="the end of everything")
        assert "cannot start: " in run.stderr
        assert "open files" in run.stderr
        assert not run.record("s0")


def test_a_soft_limit_is_raised_as_far_as_it_must(tmp_path: Path) -> None:
    with starting(many(tmp_path, 20), command=limited("-S -n 64")) as run:
        run.await_listening()
        run.until_ready()


@pytest.mark.parametrize("kibibytes", [30_000, 60_000, 100_000, 150_000, 250_000, 400_000])
def test_little_memory(tmp_path: Path, kibibytes: int) -> None:
    with starting(many(tmp_path, 4), command=limited(f"-v {kibibytes}")) as run:
        assert end(run) == any(word in run.stderr for word in WORDS), run.stderr


@absent.unless(
    os.geteuid() == 0 and shutil.which("setpriv") and shutil.which("prlimit"),
    "root, setpriv and prlimit: the limit on processes holds for other users only",
)
@pytest.mark.parametrize("processes", [1, 3, 6, 10, 13, 16, 20])
def test_few_processes(processes: int) -> None:
    uid = OTHER_USER + processes
    caps = ["--inh-caps", CAPABILITIES, "--ambient-caps", CAPABILITIES]  # as pyenv's is in /root
    command = ["prlimit", f"--nproc={processes}", "setpriv", "--reuid", str(uid), *caps]
    with tempfile.TemporaryDirectory() as name:  # pytest's own lies in a folder for one user
        folder = Path(name)
        made = many(folder, 4)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, -1)
        with starting(made, command=[*command, "--clear-groups", *COMMAND]) as run:
            assert end(run) == any(word in run.stderr for word in WORDS), run.stderr
