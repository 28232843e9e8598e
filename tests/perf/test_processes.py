from __future__ import annotations

import os
import threading
import time

import pytest

from bundlevisor.perf import processes
from tests import absent


def _use_processor(seconds: float) -> None:
    while time.thread_time() < seconds:
        pass


def test_what_an_ended_thread_used_is_still_counted() -> None:
    before = processes.cpu_seconds([os.getpid()])
    thread = threading.Thread(target=_use_processor, args=(0.05,))
    thread.start()
    thread.join()
    assert processes.cpu_seconds([os.getpid()]) - before >= 0.05


@absent.unless(processes.PROC, "/proc and the clocks of Linux")
def test_the_processor_time_of_a_process_that_has_gone_is_an_error() -> None:
    with pytest.raises(OSError, match=r".+"):
        processes.cpu_seconds([2**22 + 1])
