"""Records every signal and ignores it: only SIGKILL ends it."""

from __future__ import annotations

from tests.programs.observed import ignore, serve, start


def main() -> None:
    start(ignore)
    serve()
