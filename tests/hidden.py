"""What the tests see of runtime and guardian, which hide from the user they run as (Linux).

They are not dumpable (prctl(2)): their open files, memory and environment are for root only. Who
traces them with strace(1) and is not root reads no path of theirs either.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests import absent

CAP_SYS_PTRACE = 19
"""The number of the right (capabilities(7)): root may be without it, in a container above all."""
LOOK = "root's right to look into the runtime, which is not dumpable (prctl(2))"


def _may_look() -> bool:
    if sys.platform != "linux":
        return True  # nothing is hidden there
    rights = re.search(r"^CapEff:\s*(\w+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    held = int(rights[1], 16) if rights else 0
    return os.geteuid() == 0 and bool(held >> CAP_SYS_PTRACE & 1)


MAY_LOOK = _may_look()
needs_look = absent.unless(MAY_LOOK, LOOK)


def open_files(pid: int) -> int:
    """Return how many descriptors a process has open; Linux 6.2 tells everybody (proc(5))."""
    folder = f"/proc/{pid}/fd"
    try:
        return len(os.listdir(folder))
    except PermissionError:
        if not os.stat("/proc/self/fd").st_size:
            absent.skip(f"Linux 6.2, or {LOOK}")
        return os.stat(folder).st_size
