"""Listens, then dies with ``--code`` after ``--after-ms``: ``--times`` times; then it stays."""

from __future__ import annotations

from tests.programs.dying import die_after
from tests.programs.observed import incarnation, leave, number, serve, start


def main() -> None:
    start()
    dies = incarnation() <= number("times", 3)
    serve(after=die if dies else lambda: None)


def die() -> None:
    die_after(number("after-ms", 100), lambda: leave(number("code", 1)))
