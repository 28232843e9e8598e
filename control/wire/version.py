"""Which version of the runtime this is."""

from __future__ import annotations

from bundlevisor import __version__

NAME = "bundlevisor"
VERSION = __version__


def runtime() -> str:
    """Return name and version, as ``/healthz`` and ``--version`` say it."""
    return f"{NAME} {VERSION}"


def build() -> str:
    """Return what it was built from: the interpreter's version, which is all that can differ."""
    import sys

    return f"{VERSION}+py{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
