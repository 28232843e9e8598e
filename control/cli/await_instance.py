"""Waiting for an instance that is just being started: ``run & bundlevisor ready --wait 60``.

Its record appears a moment after the process, and until then that of a dead one may lie there: its
port refuses connections, or is somebody else's, or its token is an old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep

from bundlevisor.control.cli.client import Client, Unsettled
from bundlevisor.control.cli.find import NotRunning, Wanted, find

LOOK_AGAIN_S = 0.05
"""Seconds between two looks: there is no portable event for a file that appears."""


def client_within(which: Wanted, seconds: float) -> Client:
    """Return a client of the instance as soon as it answers, within ``seconds``.

    Raises NotRunning, or NoAnswer, with what was not found in that time.
    """
    for patient in _looks(seconds):
        try:
            client = Client(find(which))
            client.get("/telemetry")
        except (NotRunning, Unsettled) as error:
            if not patient:
                raise type(error)(f"{error}; waited {seconds:g} s for it") from error
        else:
            return client
    raise AssertionError("the last look is not patient")


def _looks(seconds: float) -> Iterator[bool]:
    """Yield whether there will be another look, and pause between two."""
    deadline = monotonic() + seconds
    while (left := deadline - monotonic()) > 0:
        yield True
        sleep(min(LOOK_AGAIN_S, left))
    yield False
