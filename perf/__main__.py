"""``python -m bundlevisor.perf QUESTION``: measures any runtime that speaks the control API."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import NoReturn

from bundlevisor.manifest.format.suggest import hint
from bundlevisor.perf.contender import ContenderError

QUESTIONS = {
    "startup": "exec → port, first service, /healthz, every service ready",
    "respawn": "kill -9 of a service → its successor runs",
    "shutdown": "SIGTERM → all services stopped in order, the process gone",
    "idle": "processor time and memory while nothing happens",
    "api": "requests per second and latency of the control API",
    "attack": "what an honest client waits while others without a token do all they can",
    "scale": "time and memory from 10 to 500 services",
    "ui": "the UI server's requests per second and latency",
    "redaction": "lines per second and processor time with 0, 1 and 20 secrets",
    "peers": "the same services under other supervisors: ports accept, memory, stop",
    "soak": "one random fault a second, for minutes: recoveries, wrong states, lost lines, growth",
    "compare": "what differs between kept results; nothing is measured",
    "budget": "the goals beside what is reached; --strict: exit 1 when one is missed",
}


def main(argv: list[str]) -> int:
    """Answer one question; 2 for an unknown one, 1 when a contender failed."""
    if not argv or argv[0] not in QUESTIONS:
        lines = [f"  {word:10}{meaning}" for word, meaning in QUESTIONS.items()]
        usage = "\n".join(["usage: python -m bundlevisor.perf QUESTION [options]", "", *lines])
        if argv in (["-h"], ["--help"]):
            print(usage)
            return 0
        wrong = f"there is no question '{argv[0]}'{hint(argv[0], QUESTIONS)}" if argv else ""
        print(usage, *([f"\n{wrong}"] if wrong else []), sep="\n", file=sys.stderr)
        return 2
    question = importlib.import_module(f"bundlevisor.perf.questions.{argv[0]}")
    try:
        return int(question.main(argv[1:]))
    except ContenderError as failure:
        print(failure, file=sys.stderr)
        return 1


INTERRUPTED = 130
"""Ctrl-C; the shells' custom."""


def run(argv: list[str]) -> int:
    """Do :func:`main`; who reads no further (``| head``), or presses Ctrl-C, has what is wanted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a letter shows another
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def end(number: int, _: object) -> NoReturn:
    """End by a signal as by Ctrl-C: what is being measured is ended, its folders are removed."""
    sys.exit(128 + number)


def hear_signals() -> None:
    """Have SIGTERM and SIGHUP (not under nohup) :func:`end` this process."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


if __name__ == "__main__":
    hear_signals()
    sys.exit(run(sys.argv[1:]))
