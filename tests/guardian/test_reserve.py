"""One guardian after the other is killed and followed, for as long as the runtime lives."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from bundlevisor.actors.guardian import guard
from tests import absent

ELDER = """
import os, resource, signal, socket
from bundlevisor.actors.guardian.reserve_posix import Heirs, Receiver
runtime, elder = socket.socketpair()
ours, heirs = Receiver(elder), Heirs()

def fork():
    more, channel = socket.socketpair()
    found = heirs.fork(channel.detach(), ours)
    if found is not None:
        found[0].answer()
        signal.pause()
    return more

def held():
    return len(os.listdir("/dev/fd"))
"""
KILLED = """
for _ in range(3):
    with fork() as runtimes:
        os.kill(int.from_bytes(runtimes.recv(4), "little"), signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:  # ignored, as they are: it is gone
            print(held())
"""
NO_ROOM = """
before, (few, most) = held(), resource.getrlimit(resource.RLIMIT_NOFILE)
socketpair = socket.socketpair

def last_ones():
    pair = socketpair()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
    return pair

socket.socketpair = last_ones
with fork() as runtimes:
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    print(before, runtimes.recv(4), held() - 1)
"""
GIVEN_UP = """
import sys
gone, channel = socket.socketpair()
gone.send(b"what it was told")
for one in (gone, runtime)[:int(sys.argv[1])]:
    one.close()
if heirs.fork(channel.detach(), ours) is None:
    print(len(heirs._forked))
"""
by_fork = absent.unless(hasattr(os, "fork"), "fork")


def said_by(program: str, *arguments: str) -> list[str]:
    words = [sys.executable, "-c", ELDER + program, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


@by_fork
def test_a_guardian_holds_nothing_of_those_in_reserve_that_have_died() -> None:
    first, second, third = said_by(KILLED)
    assert first == second == third


@by_fork
def test_a_guardian_without_room_for_files_lives_on_and_says_that_there_is_no_reserve() -> None:
    before, told, after = said_by(NO_ROOM)
    assert told == repr(b"")
    assert before == after


@by_fork
def test_one_that_was_given_up_before_it_could_be_forked_never_is() -> None:
    """To it the end of its channel would be the runtime's, and it would end the services."""
    assert said_by(GIVEN_UP, "1") == ["0"]


@by_fork
def test_one_is_in_reserve_where_the_runtime_has_died_since_it_asked_for_it() -> None:
    assert said_by(GIVEN_UP, "2") == ["1"]


class Generations:
    """Channels in each of which the runtime asks for another guardian, and the guardians."""

    def __init__(self, left: int) -> None:
        self.left = left

    def receive(self) -> list[tuple[tuple[object, ...], int]] | None:
        return [(("reserve",), -1)] if self.left else None

    def fork(self, _channel: int, ours: Generations) -> tuple[Generations, Generations]:
        """Go on as the one that was forked."""
        return Generations(ours.left - 1), self


def test_no_number_of_generations_is_too_many() -> None:
    first: Any = Generations(2 * sys.getrecursionlimit())
    state, _ = guard._listen(first, first)
    assert not state.dismissed
