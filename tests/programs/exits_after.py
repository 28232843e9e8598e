"""Listens, then exits with ``--code`` after ``--after-ms``, at each start."""

from __future__ import annotations

from tests.programs.dying import die_after
from tests.programs.observed import leave, number, serve, start


def main() -> None:
    start()
    serve(after=lambda: die_after(number("after-ms", 200), lambda: leave(number("code", 1))))
