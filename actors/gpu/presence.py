"""Whether there is a GPU: told at once, by what the system shows of it; no driver is called.

A GPU that is there may still refuse to work: only the service that uses it can find that out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec

from bundlevisor.manifest.format.variables import GPU_AVAILABLE


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
    if not environ.get(GPU_AVAILABLE):
        return None
    from bundlevisor.manifest.format.flag import read_flag

    said = read_flag(environ, GPU_AVAILABLE)
    if said is None:
        return None
    return Presence(
        said, "environment", f"{GPU_AVAILABLE}={environ[GPU_AVAILABLE].strip().lower()} is set"
    )


def misunderstood(environ: Mapping[str, str]) -> str:
    """Return a sentence when the environment wants to decide and says neither yes nor no."""
    if not environ.get(GPU_AVAILABLE):
        return ""
    from bundlevisor.manifest.format.flag import unclear

    sentence = unclear(environ, GPU_AVAILABLE)
    return sentence and f"{sentence}; it is ignored, and a GPU is looked for"


def _seen(system: str) -> Presence:
    if system == "win32":
        from bundlevisor.actors.gpu import windows

        available, reason = windows.look(windows.adapters())
        return Presence(available, "registry" if available else "none", reason)
    if system == "darwin":
        return Presence(True, "metal", "every Mac that runs this system has Metal")
    from bundlevisor.actors.gpu import linux

    available, reason = linux.look()
    return Presence(available, "files" if available else "none", reason)
