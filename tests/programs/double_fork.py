"""Leaves a daemon behind: double-forked, in a session of its own, away from its stdout.

``--deaf 1``: the daemon ignores signals. ``--clear-env 1``: it has nothing of the service's
environment. ``--keep-stdout 1``: it holds the service's stdout. ``--leave 1``: the leader ends,
with code 0, as programs do that put themselves into the background.
"""

from __future__ import annotations

import os

from tests.programs.observed import leave, number, serve, spawn, start


def main() -> None:
    start()
    daemonise()
    if number("leave", 0):
        leave(0)
    serve()


def daemonise() -> None:
    """Start the daemon, through a middle process that ends, where the platform can fork."""
    if not hasattr(os, "fork"):
        start_daemon()
    elif (middle := os.fork()) != 0:
        os.waitpid(middle, 0)
    else:
        os.setsid()
        start_daemon()
        os._exit(0)


def start_daemon() -> None:
    if not number("keep-stdout", 0):
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
    program = "ignores_term" if number("deaf", 0) else "well_behaved"
    kept = ("SYSTEMROOT",) if number("clear-env", 0) else tuple(os.environ)
    spawn(program, "--role", "daemon", env={n: os.environ[n] for n in kept if n in os.environ})
