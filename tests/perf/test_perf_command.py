"""``python -m bundlevisor.perf`` as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bundlevisor.perf import __main__ as perf


def test_who_reads_no_further_sees_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "bundlevisor.perf", "--help"]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_interrupts_it_sees_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(perf, "main", interrupted)
    assert perf.run(["idle"]) == 130
