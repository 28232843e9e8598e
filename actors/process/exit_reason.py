"""What the exit code of a process says: negative is the number of the signal that ended it."""

from __future__ import annotations

OF_WINDOWS = range(0xC0000000, 0xF0000000)
"""Codes by which Windows ends a program; above are negative ones that a program itself gave."""


def describe_exit(code: int) -> str:
    """Say how a process ended: ``exit 1``, the signal's name, or Windows' own code in words."""
    if code in OF_WINDOWS:
        from bundlevisor.actors.process.nt_status import MEANINGS

        return f"exit 0x{code:08X}" + (f" ({MEANINGS[code]})" if code in MEANINGS else "")
    if code >= 0:
        return f"exit {code}"
    return f"killed by {signal_name(-code)}"


OWN_SIGNALS = {"SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"}
"""Signals by which a program ends because of what it does itself."""


def is_own_failure(code: int) -> bool:
    """Whether a program has ended by its own failure: not well, and not by somebody's signal."""
    return code > 0 or (code < 0 and signal_name(-code) in OWN_SIGNALS)


def signal_name(number: int) -> str:
    """Return the name of a signal; numbers without one are spelled out.

    Looked for in the module, which takes 20 us: its enumeration takes 2 ms, in the midst of a stop.
    """
    import signal

    names = [name for name, value in vars(signal).items() if value == number and _is_signal(name)]
    return min(names, default=f"signal {number}")


def _is_signal(name: str) -> bool:
    return name.startswith("SIG") and not name.startswith("SIG_")
