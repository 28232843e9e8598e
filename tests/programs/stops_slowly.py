"""Takes ``--stop-ms`` to stop; a second signal does not make it quicker."""

from __future__ import annotations

from tests.programs.observed import leave, number, pause, record, serve, start

stopping = False


def main() -> None:
    start(stop_slowly)
    serve()


def stop_slowly(_signal_number: int) -> None:
    global stopping  # noqa: PLW0603  # a second signal interrupts this very function
    if not stopping:
        stopping = True
        record("stopping")
        pause(number("stop-ms", 500))
        leave(0)
