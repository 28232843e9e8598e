"""A runtime that stops tells its guardians twice of each service: none of it may cost much."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.guardian import guard
from bundlevisor.actors.process.table import control_group
from tests import absent

HEIR = """
import os, socket, sys
from bundlevisor.actors.guardian.reserve_posix import Heirs, Receiver
runtime, elder = socket.socketpair()
more, channel = socket.socketpair()
reading, writing = os.pipe()
number = channel.detach()
found = Heirs().fork(number, Receiver(elder))
if found is None:
    os.close(writing)
    print(os.read(reading, 100).decode())
else:
    receiver, heirs = found
    del receiver, found
    try:
        os.fstat(number)
        os.write(writing, b"held")
    finally:
        os._exit(0)
"""


class Told:
    """A channel by which all of this has come at once."""

    def __init__(self, *messages: tuple[object, ...]) -> None:
        self._messages: list[tuple[tuple[object, ...], int]] = [(one, -1) for one in messages]

    def answer(self) -> None:
        pass

    def receive(self) -> list[tuple[tuple[object, ...], int]] | None:
        messages, self._messages = self._messages, []
        return messages or None


def test_the_runtime_is_taken_out_of_its_group_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its group is read from a file, by both guardians: not for each of the services that end."""
    released: list[int] = []
    monkeypatch.setattr(control_group, "release", lambda pid, _: released.append(pid))
    forgotten = [("forget", f"service-{number}") for number in range(20)]
    channel: Any = Told(("stopping",), *forgotten, ("bye",))
    heirs: Any = SimpleNamespace()
    state, _ = guard._listen(channel, heirs)
    assert state.dismissed
    assert len(released) == 1


@absent.unless(hasattr(os, "fork"), "fork")
def test_an_heir_holds_its_channel_until_it_ends() -> None:
    """A socket that is forgotten open is warned of, for which modules are imported: 6 ms."""
    words = [sys.executable, "-c", HEIR]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "held", done.stderr
