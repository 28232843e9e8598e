"""Writes ``--line`` after ``--ready-ms``, in two parts, between lines that mean nothing."""

from __future__ import annotations

from tests.programs.observed import number, option, pause, record, say, serve, start


def main() -> None:
    start()
    line = option("line", "worker is ready")
    say("worker starts\n")
    pause(number("ready-ms", 50))
    say(line[: len(line) // 2])
    say(line[len(line) // 2 :] + "\n")
    record("wrote", line=line)
    say("worker works\n")
    serve()
