"""What the runtime owes the processes that outlive their parents: to reap, and to end them."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import control_group
from bundlevisor.actors.process.table.own_process import Adoption
from bundlevisor.actors.process.table.rlimit_mark import by_serial
from bundlevisor.manifest.format.variables import mark_prefix

if sys.platform != "win32":
    from bundlevisor.actors.process import tree

END_WITHIN = 2.0
"""Seconds for adopted processes to go once they have been killed."""
REAP_EVERY = 5.0
"""Seconds: a zombie costs a table entry and nothing else, so there is no hurry."""


if sys.platform == "linux":

    def keep_reaping(loop: Loop) -> None:
        """Reap adopted children from time to time, for as long as the loop turns."""
        tree.reap_adopted()
        loop.call_at(time.monotonic() + REAP_EVERY, lambda: keep_reaping(loop))

else:

    def keep_reaping(loop: Loop) -> None:
        """Reap nothing: nothing is adopted."""


if sys.platform == "win32":

    def end_remains(instance_id: str, group: str) -> None:
        """End nothing: what a service leaves is in its job, and ends with it."""

else:

    def end_remains(instance_id: str, group: str) -> None:
        """Kill what is left of the services when all are stopped. Blocks briefly.

        It is all that the guardian would look for: adopted children, what has an rlimit mark or
        is in the control group (Linux), and what carries a mark.
        """
        import signal

        deadline = time.monotonic() + END_WITHIN
        while (left := _to_end(instance_id, group)) != {} and time.monotonic() < deadline:
            for pid, born in (left or {}).items():
                with suppress(PermissionError):  # it changed its user
                    table.send(pid, born, signal.SIGKILL)
            tree.reap_adopted()
            time.sleep(0.002)

    def _to_end(instance_id: str, group: str) -> dict[int, float] | None:
        """Return what is left; None without a descriptor to look by, which may come back."""
        try:
            return _remains(instance_id, group)
        except OSError:
            return None

    def _remains(instance_id: str, group: str) -> dict[int, float]:
        found = [] if Adoption.active else table.census(mark_prefix(instance_id))
        for serial, processes in by_serial(instance_id).items():
            found += processes if serial else []  # our own helpers wear no number
        enclosed = control_group.members(group)
        others = [pid for pid in enclosed if pid != os.getpid() and not tree.is_known(pid)]
        births = {pid: table.created(pid) for pid in (*tree.adopted(), *others)}
        births |= {process.pid: process.created for process in found}
        return {pid: born for pid, born in births.items() if born is not None}
