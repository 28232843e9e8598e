"""Whether there is a GPU: told at once, by what the system shows of it; no driver is called.

A GPU that is there may still refuse to work: only the service that uses it can find that out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec

OVERRIDE = "BUNDLE_GPU_AVAILABLE"
"""The variable of the runtime's environment by which a person or a shell decides."""

_YES = ("1", "t", "true")
_NO = ("0", "f", "false")
"""What Go's strconv.ParseBool takes, in any case."""


class Presence(msgspec.Struct, frozen=True):
    """Whether there is one; ``method`` is how that is known, ``reason`` what was seen."""

    available: bool
    method: str
    """``environment``, ``files`` (Linux), ``metal`` (macOS), ``registry`` (Windows), ``none``."""
    reason: str


def look(environ: Mapping[str, str], system: str = sys.platform) -> Presence:
    """Return whether this machine has a GPU, in well under a millisecond; never raises."""
    return overridden(environ) or _seen(system)


def overridden(environ: Mapping[str, str]) -> Presence | None:
    """Return what the environment decides; None when it says nothing that can be understood."""
    word = environ.get(OVERRIDE, "").strip().lower()
    if word not in (*_YES, *_NO):
        return None
    return Presence(word in _YES, "environment", f"{OVERRIDE}={word} is set")


def _seen(system: str) -> Presence:
    if system == "win32":
        from actors.gpu import windows

        return windows.look(windows.adapters())
    if system == "darwin":
        return Presence(True, "metal", "every Mac that runs this system has Metal")
    from actors.gpu import linux

    return linux.look()
