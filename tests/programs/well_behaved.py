"""A service as it should be: listens after ``--delay-ms``, is healthy, stops at once."""

from __future__ import annotations

from tests.programs.observed import serve, start


def main() -> None:
    start()
    serve()
