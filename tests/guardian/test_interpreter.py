"""What a process of ours runs, and what it does not: the file that its parent was started by."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import spawn
from pathlib import Path

import pytest

from bundlevisor.actors.process.interpreter import InterpreterProcess
from tests.waiting import WITHIN

ROOT = Path(__file__).parents[2]
WAYS = {
    "a process that hangs": """
from bundlevisor.actors.process import isolated_call as isolated
assert isolated.call(len, "abc", timeout=20) == 3
""",
    "a guardian": """
import os
from multiprocessing.connection import Pipe
from bundlevisor.actors.guardian import starting as launch
from bundlevisor.actors.guardian.channel import pair
sender, theirs = pair()
process = launch.another(theirs)
sender.send(("hello", "abc", os.getpid(), 0.0))
sender.send(("bye",))
assert sender.finish(20)
launch.await_end(process, 20)
assert process.exitcode is not None
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_no_child_runs_the_file_that_its_parent_was_started_by(tmp_path: Path, way: str) -> None:
    """As the installed launcher it has no guard: who imports it, runs it."""
    runs = tmp_path / "runs"
    launcher = tmp_path / "launcher"
    launcher.write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"open({str(runs)!r}, 'a').write('run ')\n{WAYS[way]}"
    )
    done = subprocess.run(
        [sys.executable, str(launcher)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert runs.read_text() == "run "


def test_nothing_of_ours_starts_a_process_in_another_way() -> None:
    """The stock ways of multiprocessing that make a new interpreter import the parent's file."""
    stock = re.compile(r"get_context\((?!\"fork\")|multiprocessing\.Process\(|get_preparation_data")
    files = [p for room in ("manifest", "actors", "control") for p in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    assert [str(path) for path in files if stock.search(path.read_text(encoding="utf-8"))] == []


posix = pytest.mark.skipif(sys.platform == "win32", reason="the stock way is used there")


@posix
def test_a_child_that_dies_before_it_has_read_what_it_is_given_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spawn, "get_executable", lambda: shutil.which("false"))
    process = InterpreterProcess(target=len, args=(bytes(1 << 20),))
    starting = threading.Thread(target=process.start, daemon=True)
    starting.start()
    starting.join(WITHIN)
    assert not starting.is_alive()
    process.join(WITHIN)
    assert process.exitcode == 1


@posix
def test_where_there_is_one_pipe_only_a_start_leaves_none_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def pipe(make: Callable[[], tuple[int, int]] = os.pipe) -> tuple[int, int]:
        if made:
            raise OSError(errno.EMFILE, "Too many open files")
        made.extend(make())
        return made[0], made[1]

    with monkeypatch.context() as few:
        few.setattr(os, "pipe", pipe)
        with pytest.raises(OSError, match="Too many"):
            InterpreterProcess(target=len, args=(b"",)).start()
    for descriptor in made:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(descriptor)
