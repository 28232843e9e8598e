"""Binds its port, hands it to a process outside of its session, and dies without listening.

It does so at the first ``--times`` starts; then it behaves well.
"""

from __future__ import annotations

import os

from tests.programs.double_fork import daemonise
from tests.programs.observed import incarnation, leave, listen, number, serve, start


def main() -> None:
    start()
    if incarnation() > number("times", 1):
        serve()
    server = listen()
    os.set_inheritable(server.fileno(), True)
    daemonise()
    leave(1)
