"""Prints the secret in ``--variable``: whole, cut in two, byte by byte, on stderr too."""

from __future__ import annotations

import os

from tests.programs.observed import number, option, pause, record, say, serve, start


def main() -> None:
    start()
    secret = os.environ.get(option("variable", "API_KEY"), "")
    half = len(secret) // 2
    record("secret", length=len(secret))
    say(f"whole: {secret} end\n")
    say(f"cut: {secret[:half]}")
    pause(number("cut-ms", 50))
    say(f"{secret[half:]} end\n")
    say("bytes: ")
    for letter in secret:
        say(letter)
    say(" end\n")
    say(f"stderr: {secret} end\n", stream=2)
    say(f"unfinished: {secret[:half]}")
    pause(number("cut-ms", 50))
    say(" end\n")
    serve()
