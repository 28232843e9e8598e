"""Processes of ours that are not services: the guardian, the UI servers, helpers.

On Linux the runtime adopts orphans, and whatever child it does not know counts as one. So each
process that is started here, and what multiprocessing starts beside it, has to be made known.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

if sys.platform == "linux":

    @contextlib.contextmanager
    def starting() -> Iterator[None]:
        """Make every child that this thread starts within the block known as ours.

        OwnFilesGone, and OSError where there is no descriptor to look by: before the block only.
        """
        from bundlevisor.actors.process import own_files, tree

        own_files.check()
        with tree.spawning, tree.StartedHere() as here:
            before = here.pids()
            yield
            for pid in here.pids() - before:
                tree.register_child(pid)

    def register(pid: int) -> None:
        """Make one child known as ours."""
        from bundlevisor.actors.process import tree

        tree.register_child(pid)

    def register_present() -> None:
        """Leave alone all children that there are: a script that becomes the runtime has some."""
        from bundlevisor.actors.process import tree

        for pid in tree.adopted():
            tree.register_child(pid)

    def unregister(pid: int) -> None:
        """Say that a child has been reaped: its pid may become that of an adopted one."""
        from bundlevisor.actors.process import tree

        tree.unregister_child(pid)

else:

    def starting() -> contextlib.AbstractContextManager[None]:
        """Note nothing, since nothing is adopted that it must be told from; OwnFilesGone."""
        from bundlevisor.actors.process import own_files

        own_files.check()
        return contextlib.nullcontext()

    def register(pid: int) -> None:
        """Note nothing."""

    def register_present() -> None:
        """Note nothing."""

    def unregister(pid: int) -> None:
        """Note nothing."""
