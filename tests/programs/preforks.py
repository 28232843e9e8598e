"""Has a worker that it stops itself, after ``--finish-ms``.

With ``--abandon 1`` it leaves it; with ``--silent 1`` it waits for its end and tells it nothing.
"""

from __future__ import annotations

import os
import signal

from tests.programs.observed import leave, number, pause, record, serve, spawn, start

worker = 0


def main() -> None:
    global worker  # noqa: PLW0603  # a signal's reaction takes nothing else
    start(finish)
    worker = spawn("well_behaved", "--role", "worker", env=dict(os.environ))
    serve()


def finish(_signal_number: int) -> None:
    if number("abandon", 0):
        leave(0)
    pause(number("finish-ms", 200))
    record("finished")
    if not number("silent", 0):
        os.kill(worker, signal.SIGUSR1)
    os.waitpid(worker, 0)
    leave(0)
