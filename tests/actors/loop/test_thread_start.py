"""A thread that has not the memory to begin is refused, and nobody waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bundlevisor.actors.loop.thread_start import start_thread
from tests.waiting import WITHIN

SCARCE = """
import resource, threading
from bundlevisor.actors.loop.thread_start import start_thread

threading.stack_size(256 << 10)  # so much of the room is for a stack, and nothing for a frame
begun = threading.Event()
start_thread(begun.set)
begun.wait()
with open("/proc/self/statm") as pages:
    room = int(pages.read().split()[0]) * resource.getpagesize() + (3 << 20)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
results, ran = [], []
for attempt in range(8):
    stack, taken = bytearray((256 << 10) + attempt * 40_000), []
    for size in (1 << 20, 1 << 16, 1 << 12, 400, 100, 33):
        try:
            while True:
                taken.append(bytearray(size))
        except MemoryError:
            pass
    del stack
    try:
        start_thread(lambda: ran.append(1))
        result = "begun"
    except RuntimeError as error:
        result = error
    del taken
    results.append(str(result))
print(*results, sep="\\n")
"""


def test_it_is_called_on_another_thread() -> None:
    import threading

    told: list[int] = []
    over = threading.Event()

    def run() -> None:
        told.append(threading.get_ident())
        over.set()

    start_thread(run)
    assert over.wait(WITHIN)
    assert told[0] != threading.get_ident()


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on memory, and /proc, are Linux's")
def test_a_thread_that_dies_before_it_has_begun_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCARCE], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "there was no memory for a new thread to begin with" in done.stdout, done.stdout
    assert "MemoryError" in done.stderr
