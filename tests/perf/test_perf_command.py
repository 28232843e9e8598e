"""``python -m bundlevisor.perf`` as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys


def test_who_reads_no_further_sees_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "bundlevisor.perf", "--help"]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
