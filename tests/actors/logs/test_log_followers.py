"""Who follows a log."""

from __future__ import annotations

import os
import re
import threading

from bundlevisor.actors.logs.follow import Subscription
from tests.actors.logs.bench import (
    NUMBERED,
    PATIENCE,
    Bench,
    close,
)
from tests.waiting import wait_until

LINES = 100_000
"""Together less than a follower may have waiting for it (LIMIT), however slowly it reads."""


def test_a_follower_gets_the_last_lines_and_all_that_comes_without_a_gap(bench: Bench) -> None:
    bench.start(NUMBERED, 0, LINES)
    wait_until(lambda: bench.stream.bytes_read > 200_000, PATIENCE, "some output")
    follower = bench.stream.follow(50)
    got = b""
    while not got.endswith(b"%09d\n" % (LINES - 1)):
        data = follower.read(PATIENCE)
        assert data
        got += data
    first = int(got[:9])
    assert got.startswith(b"%09d\n" % first)
    assert got == b"".join(b"%09d\n" % number for number in range(first, LINES))
    follower.close()
    assert follower.read(PATIENCE) is None


def test_a_follower_that_does_not_read_slows_nobody(bench: Bench) -> None:
    sleeping = bench.stream.follow()
    awake = bench.stream.follow()
    got: list[bytes] = []

    def read() -> None:
        while (data := awake.read(PATIENCE)) is not None:
            got.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    child = bench.start(NUMBERED, 0, 500_000)
    assert child.wait(PATIENCE) == 0
    bench.until_end()
    close(bench.stream)
    reader.join(PATIENCE)
    assert b"".join(got).endswith(b"000499999\n")
    late = sleeping.read(PATIENCE)
    assert late is not None
    notice, rest = late.split(b"\n", 1)
    skipped = int(re.fullmatch(rb"\[bundlevisor: (\d+) lines skipped\]", notice)[1])  # type: ignore[index]
    assert rest == b"".join(b"%09d\n" % number for number in range(skipped, 500_000))
    assert sleeping.read(PATIENCE) is None


def test_a_follower_of_a_closed_log_is_at_its_end(bench: Bench) -> None:
    os.close(bench.write(b"one\n"))
    bench.until_end()
    close(bench.stream)
    follower: Subscription = bench.stream.follow(10)
    assert follower.read(PATIENCE) == b"one\n"
    assert follower.read(PATIENCE) is None
