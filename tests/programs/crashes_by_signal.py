"""Crashes by ``--signal`` (SEGV, ABRT, KILL, …) after ``--after-ms``, without a core file."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # a builtin that typeshed leaves out
import os

from tests.programs.dying import die_after
from tests.programs.observed import number, option, record, serve, start


def main() -> None:
    start()
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    name = option("signal", "SEGV")
    if name != "KILL":
        _signal.signal(getattr(_signal, "SIG" + name), _signal.SIG_DFL)
    if after := number("after-ms", 0):
        die_after(after, lambda: crash(name))
        serve()
    crash(name)


def crash(name: str) -> None:
    record("crash", signal=name)
    if os.name == "nt":
        os.abort()
    os.kill(os.getpid(), getattr(_signal, "SIG" + name))
