"""What the runtime owes the processes that it adopts (on Linux): to notice and to reap them."""

from __future__ import annotations

import sys
import time

from actors.edges.loop import Loop

END_WITHIN = 2.0
"""Seconds for adopted processes to go once they have been killed."""
REAP_EVERY = 5.0
"""Seconds: a zombie costs a table entry and nothing else, so there is no hurry."""


if sys.platform == "linux":

    def adopt_orphans() -> None:
        """Become the parent of what services leave behind."""
        from actors.process import tree

        tree.adopt_orphans()

    def keep_reaping(loop: Loop) -> None:
        """Reap adopted children from time to time, for as long as the loop turns."""
        from actors.process import tree

        tree.reap_adopted()
        loop.call_at(time.monotonic() + REAP_EVERY, lambda: keep_reaping(loop))

    def end_adopted() -> None:
        """Kill what is still a child of the runtime when its services are gone. Blocks briefly."""
        import signal

        from actors.process import table, tree

        deadline = time.monotonic() + END_WITHIN
        while tree.adopted() and time.monotonic() < deadline:
            for pid in tree.adopted():
                born = table.created(pid)
                if born is not None:
                    table.send(pid, born, signal.SIGKILL)
            tree.reap_adopted()
            time.sleep(0.002)

else:

    def adopt_orphans() -> None:
        """Adopt nothing: orphans go to the system's first process (macOS) or to nobody."""

    def keep_reaping(loop: Loop) -> None:
        """Reap nothing: nothing is adopted."""

    def end_adopted() -> None:
        """End nothing: nothing is adopted."""
