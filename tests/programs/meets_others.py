"""Listens once as many as ``--party`` services, itself included, have started."""

from __future__ import annotations

import os

from tests.programs.observed import number, option, pause, serve, start


def main() -> None:
    start()
    folder = os.path.dirname(option("record"))
    while len(os.listdir(folder)) < number("party", 1):
        pause(10)
    serve()
