"""Waiting for an instance that is just being started: ``run & bundlevisor ready --wait 60``.

Its record appears a moment after the process. Until then the record of an earlier instance may lie
there: its port refuses connections or is somebody else's by now, or its token is out of date.
One that answers may be stopping: the start that follows waits for that as well.

Nobody waits for a start that has been refused or has ended: it leaves word of that, which the next
start removes. Word that is older than this command may be followed by a start that is under way,
and ends the wait only after a moment. Where there is no app-data folder, no word can be left: there
the bundle is checked as a start would check it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from time import monotonic, sleep

from bundlevisor.actors.files import instance, instance_lock, last_end
from bundlevisor.actors.telemetry.milestones import exec_time
from bundlevisor.control.cli.client import Client, Unsettled
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.find import HungUp, NotForUs, NotRunning, Wanted, find
from bundlevisor.control.cli.last_words import is_gone
from bundlevisor.control.wire import exit_codes

LOOK_AGAIN_S = 0.05
"""Seconds between two looks: there is no portable event for a file that appears."""
NEXT_START_S = 5.0
"""Seconds that a start may take from exec to its lock, on a cold disk: by then it has removed the
word that an earlier one has left of its end."""
SAY_AFTER_S = 2.0
"""Seconds after which a person is told what the command waits for."""


def client_within(which: Wanted, seconds: float) -> Client:
    """Return a client of the instance as soon as it answers, within ``seconds``.

    Raises NotRunning, or NoAnswer, with what was not found in that time; sooner where the instance
    has ended, or was refused, since this command was begun, no start follows an earlier end, or
    each would be refused.
    """
    since = time.time() - (monotonic() - exec_time(monotonic() - time.process_time()))
    began, announced, look_at_bundle = monotonic(), False, NEXT_START_S
    leaving, left_at = _leaving(which), began
    gone: HungUp | None = None
    for patient in _looks(seconds):
        waited = monotonic() - began
        try:
            client = Client(find(which))
            client.get("/telemetry")
        except NotForUs:
            raise
        except (NotRunning, Unsettled) as error:
            if not patient:
                raise type(error)(f"{error}; waited {seconds:g} s for it") from error
            if isinstance(error, HungUp) and leaving is None:
                gone = error
            elif gone is not None and instance.peek(which.app_data) is None:
                raise gone from error  # its guardian has removed the record: it was no old one
            if _is_over(which, since, monotonic() - left_at, leaving):
                raise NotRunning(str(error)) from error
            if waited >= look_at_bundle:
                look_at_bundle = waited + NEXT_START_S
                if refusal := _refusal(which):
                    raise NotRunning(f"{error}; a start is refused: {refusal}") from error
        else:
            if not (patient and _leaves(client, which)):
                return client
            left_at = monotonic()
        if waited >= SAY_AFTER_S and not announced:
            _announce(which)
            announced = True
    raise AssertionError("the last look is not patient")


def _is_over(which: Wanted, since: float, waited: float, leaving: int | None) -> bool:
    """Whether the last start has ended, and no other one is under way.

    The end of ``leaving``, which was stopping before, tells nothing of the one that is waited for.
    """
    end = last_end.peek(which.app_data)
    if end is None:
        return waited >= NEXT_START_S and is_gone(instance_lock.signed_by(which.app_data))
    just_now = since <= end.ended_at <= time.time()  # clocks are set back
    return waited >= NEXT_START_S or (just_now and end.pid != leaving)


def _leaving(which: Wanted) -> int | None:
    """Return the pid of an instance that is stopping."""
    pid = instance_lock.stopping(which.app_data)
    return None if is_gone(pid) else pid


def _leaves(client: Client, which: Wanted) -> bool:
    return client.endpoint.pid is not None and client.endpoint.pid == _leaving(which)


def _refusal(which: Wanted) -> str:
    """Return why no start comes to make the folder that is not there; empty where one may."""
    if os.path.isdir(which.app_data) or not os.path.isfile(which.manifest):
        return ""
    from bundlevisor.manifest.read import load

    errors = load.read(which.manifest).findings.errors
    return errors[0].told(which.manifest) if errors else ""


def _announce(which: Wanted) -> None:
    there = "" if os.path.isdir(which.app_data) else ", which no start has made yet"
    complain(f"waiting for a runtime on {which.app_data}{there}", exit_codes.OK)


def _looks(seconds: float) -> Iterator[bool]:
    """Yield whether there will be another look, and pause between two."""
    deadline = monotonic() + seconds
    while (left := deadline - monotonic()) > 0:
        yield True
        sleep(min(LOOK_AGAIN_S, left))
    yield False
