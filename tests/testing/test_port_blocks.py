"""Blocks of ports: what runs side by side is not given the same."""

from __future__ import annotations

import itertools
import subprocess
import sys
from contextlib import ExitStack

import pytest

from bundlevisor.manifest.plan.ports import REFUSED_BY_BROWSERS
from bundlevisor.testing import faults, ports

CODE = """
import sys
from bundlevisor.testing.ports import free_block
print([(free_block(size), size) for size in (200, 64, 64, 64, 1)], flush=True)
sys.stdin.read()
"""


def test_processes_that_run_side_by_side_have_no_port_in_common() -> None:
    with ExitStack() as stack:
        told = []
        for _ in range(4):  # more leave too few blocks to another suite beside this one
            one = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            assert one.stdin is not None
            stack.callback(one.stdin.close)
            told.append(one)
        own: list[set[int]] = []
        for one in told:
            assert one.stdout is not None
            blocks: list[tuple[int, int]] = eval(one.stdout.readline())
            own.append({port for start, size in blocks for port in range(start, start + size)})
        for here, there in itertools.combinations(own, 2):
            assert not here & there


def test_a_process_is_given_few_blocks_in_turn_and_none_that_is_in_use() -> None:
    given = [ports.free_block(120) for _ in range(3 * ports.KEPT)]
    assert set(given[: ports.KEPT]) == set(given[ports.KEPT :])
    assert len(set(given)) == ports.KEPT
    with faults.port_theft(given[0] + 7):
        assert given[0] not in [ports.free_block(120) for _ in range(ports.KEPT)]


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is there on Linux")
def test_no_block_has_a_port_that_somebody_has_on_another_address() -> None:
    start = ports.free_block(120)
    with faults.port_theft(start + 7, "127.0.0.2"):
        assert not ports.is_all_free(start, 120)


def test_no_block_has_a_port_that_browsers_refuse() -> None:
    for size in (1, 40, 64, 200):
        for start in ports.starts(size):
            assert REFUSED_BY_BROWSERS.isdisjoint(range(start, start + size))
