"""Says ``--words`` on stderr and exits with ``--code``."""

from __future__ import annotations

from tests.programs.observed import leave, number, option, say, start


def main() -> None:
    start()
    say(option("words", "cannot go on: no licence") + "\n", stream=2)
    leave(number("code", 1))
