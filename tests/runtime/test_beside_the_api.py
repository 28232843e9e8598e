"""What goes on beside the API, once that is up: without it, everything else is as ever."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, starting, wait_until

PATH = [str(Path(__file__).parents[2]), *(p for p in sys.path if p.endswith("site-packages"))]
NO_THREAD = """
import sys, threading
sys.path[:0] = {path!r}
start = threading.Thread.start
def refuse(thread):
    if thread.name == {name!r}:
        raise RuntimeError("can't start new thread")
    start(thread)
threading.Thread.start = refuse
from bundlevisor.control.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
NO_FILE = """
import errno, os, sys
sys.path[:0] = {path!r}
def hear(event, arguments):
    if event == "import" and arguments[0] == {name!r}:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
sys.addaudithook(hear)
from bundlevisor.control.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("code", "name", "what"),
    [
        (NO_THREAD, "watch", "files are not watched"),
        (NO_FILE, "bundlevisor.control.run.watching", "files are not watched"),
        (NO_FILE, "bundlevisor.control.run.version_record", "the app's version is not kept"),
        (NO_FILE, "bundlevisor.control.run.kept_modules", "the installed files are needed"),
    ],
)
def test_what_cannot_be_had_beside_the_api_is_told_and_the_rest_goes_on(
    tmp_path: Path, code: str, name: str, what: str
) -> None:
    made = bundle(tmp_path).service("db").write()
    words = [sys.executable, "-I", "-S", "-c", code.format(path=PATH, name=name)]
    with starting(made, "--watch", command=words) as run:
        run.await_listening()
        assert run.until_ready()["ready"]
        run.await_told("ready")
        wait_until(lambda: what in run.stderr, what=f"{what!r} on stderr")
        assert "Traceback" not in run.stderr
        assert run.get("/status").status == 200
