"""Stops at once itself, but leaves ``--children`` behind that ignore every signal.

They hold its stdout open, and with ``--hold-port 1`` its listening socket too.
"""

from __future__ import annotations

import os

from tests.programs.observed import listen, number, pause, serve_on, spawn, start


def main() -> None:
    start()
    pause(number("delay-ms", 0))
    server = listen()
    if number("hold-port", 0):
        os.set_inheritable(server.fileno(), True)
    for _ in range(number("children", 1)):
        spawn("ignores_term", "--role", "grandchild", env=dict(os.environ))
    serve_on(server)
