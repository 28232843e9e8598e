"""Takes ``--stop-ms`` to stop, or until there is the file ``--stop-until``.

A second signal does not make it quicker.
"""

from __future__ import annotations

import os

from tests.programs.observed import leave, number, option, pause, record, serve, start

stopping = False


def main() -> None:
    start(stop_slowly)
    serve()


def stop_slowly(_signal_number: int) -> None:
    global stopping  # noqa: PLW0603  # a second signal interrupts this very function
    if not stopping:
        stopping = True
        record("stopping")
        until = option("stop-until")
        if not until:
            pause(number("stop-ms", 500))
        while until and not os.path.exists(until):
            pause(10)
        leave(0)
