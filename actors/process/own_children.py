"""Processes of ours that are not services: the guardian, the UI servers, helpers.

On Linux the runtime adopts orphans, and whatever child it does not know counts as one. So each
process that is started here, and what multiprocessing starts beside it, has to be made known.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Make every child that is started within the block known as ours."""
    if sys.platform != "linux":
        yield
        return
    from actors.process import tree

    with tree.spawning:
        before = set(tree.children())
        yield
        for pid in set(tree.children()) - before:
            tree.know(pid)


def know(pid: int) -> None:
    """Make one child known as ours."""
    if sys.platform == "linux":
        from actors.process import tree

        tree.know(pid)


def forget(pid: int) -> None:
    """Say that a child has been reaped: its pid may become that of an adopted one."""
    if sys.platform == "linux":
        from actors.process import tree

        tree.unknow(pid)
