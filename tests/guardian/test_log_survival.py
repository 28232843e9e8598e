from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

import pytest

from tests.guardian.small_runtime import SmallRuntime, service
from tests.records import events
from tests.waiting import wait_until


def flooding(small: SmallRuntime, name: str) -> bool:
    return (small.folder / f"{name}.log").stat().st_size > 200_000


def numbered(lines: list[str]) -> list[int]:
    return [int(line) for line in lines]


@pytest.mark.parametrize("round_", range(5))
def test_not_one_line_is_lost_or_doubled_when_the_runtime_is_killed_in_a_flood(
    tmp_path: Path, dice: random.Random, round_: int
) -> None:
    flood = {"line-bytes": 40}
    services = [
        service("one", "floods_stdout", options=flood, grace_s=20),
        service("two", "floods_stdout", options=flood, grace_s=20),
    ]
    with SmallRuntime(tmp_path / "h", *services) as small:
        for name in ("one", "two"):
            wait_until(partial(flooding, small, name))
        time.sleep(dice.random() / 10)
        small.kill()
        small.wait_clean(30)
        for name in ("one", "two"):
            written = events(small.record(name), "flooded")[0]["lines"]
            assert numbered(small.log(name).splitlines()[:written]) == list(range(written))


def test_a_service_can_write_until_the_end_of_its_grace(tmp_path: Path) -> None:
    """Its pipe is drained: it neither blocks nor gets SIGPIPE, and its last words are kept."""
    lines = {"lines": 30_000, "line-bytes": 100}
    with SmallRuntime(
        tmp_path / "h", service("one", "floods_stdout", options=lines, grace_s=20), reader=False
    ) as small:
        small.wait_started()
        small.kill()
        small.wait_clean(30)
        written = events(small.record("one"), "flooded")[0]["lines"]
        assert numbered(small.log("one").splitlines()[:written]) == list(range(written))
