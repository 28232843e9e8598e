"""F: what the interpreter alone takes, the unit in which start-up targets are stated."""

from __future__ import annotations

import subprocess
import sys
import time


def measure() -> float:
    """Return the milliseconds from exec to the end of ``python -I -S -c pass``, once.

    Measured beside the runs that it is compared with: it varies with the machine's mood as they do.
    """
    began = time.monotonic_ns()
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
    return (time.monotonic_ns() - began) / 1e6
