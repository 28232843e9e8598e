"""The end of a guardian that was sent away is no loss, however late the event loop hears of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BODY = """
import time

from bundlevisor.actors.guardian.link import Guardian

class SlowLoop:
    def __init__(self):
        self.soon, self.watches = [], {}
    def call_soon(self, callback):
        self.soon.append(callback)
    def call_at(self, when, callback):
        assert when > time.monotonic() + 1, "nothing has to be offered again"
    def watch(self, fd, read, write=None):
        self.watches[fd] = read
    def unwatch(self, fd):
        assert fd >= 0, "as a selector does"
        return self.watches.pop(fd, None) is not None

said = []
guardian = Guardian.start("abc")
loop = SlowLoop()
guardian.attach(loop, lambda event, details: said.append(event))
EARLY = %r
if not EARLY:
    loop.soon.pop()()
heard = list(loop.watches.values())
assert guardian.dismiss(60)
for callback in heard + loop.soon:
    callback()
assert not loop.watches and not said, (loop.watches, said)
print("no loss")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the guardian is forked")
@pytest.mark.parametrize("early", [False, True])
def test_an_end_that_is_heard_after_the_dismissal_is_nothing_to_report(early: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BODY % early],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout == "no loss\n", done.stderr
