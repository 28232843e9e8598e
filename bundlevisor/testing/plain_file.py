"""Reading the files of a run, in whose place a suite may have put anything else."""

from __future__ import annotations

from pathlib import Path

from bundlevisor.actors.files.own_file import open_to_read


def read_plain(path: Path) -> bytes:
    """Return what a file holds; OSError at once for a pipe, whose writer would be waited for."""
    with open(open_to_read(str(path)), "rb") as file:
        return file.read()
