"""What an orderly stop looks at, and what it imports for that, counted rather than timed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.control.run import teardown
from tests.bundle_maker import bundle, wait_until

ROOT = Path(__file__).parents[2]
RUNNER = """
import sys
sys.path += {path!r}
def hear(event, arguments):
    if event == "open" and str(arguments[0]).startswith("/proc/"):
        opened.append(str(arguments[0]))
opened = []
sys.addaudithook(hear)
from bundlevisor.control.__main__ import main
from bundlevisor.control import __main__ as entry
def leave(code):
    with open({out!r} + ".new", "w") as file:
        print(*opened, "--", *sorted(sys.modules), sep="\\n", file=file)
    os.rename({out!r} + ".new", {out!r})
    os._exit(code)
import os
entry._leave = leave
main({argv!r})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what is read is in /proc")
def test_it_reads_the_environment_of_nobody_and_waits_without_importing_for_it(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path)
    for name, needs in (("db", []), ("api", ["db"]), ("web", ["api"])):
        made.service(name, deps=needs)
    made.write()
    out = tmp_path / "out"
    argv = ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]
    path = [*(p for p in sys.path if p.endswith("site-packages")), str(ROOT)]
    code = RUNNER.format(path=path, out=str(out), argv=argv)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: made.events("web", "listening"), what="the last service")
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
    opened, _, modules = out.read_text().partition("--\n")
    assert opened, "the hook has heard nothing"
    assert [name for name in opened.split() if re.fullmatch(r"/proc/\d+/environ", name)] == []
    assert "multiprocessing.connection" not in modules.split()


def test_logs_are_closed_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them waits for the same thread, and for the same disk."""
    monkeypatch.setattr(teardown, "LOGS", 0.0)
    begun: list[object] = []
    streams: Any = [SimpleNamespace(close=begun.append) for _ in range(5)]
    teardown._close_logs(streams)  # none of which is closed in time
    assert len(begun) == 5
    monkeypatch.setattr(teardown, "LOGS", 60.0)
    streams = [SimpleNamespace(close=lambda done: done()) for _ in range(5)]
    teardown._close_logs(streams)
