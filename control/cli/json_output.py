"""JSON as the answer of a command."""

from __future__ import annotations

import sys

from bundlevisor.control.cli.screen.terminal import is_terminal


def put(document: bytes) -> None:
    """Print it in UTF-8, as RFC 8259 demands, which on Windows is not what text is printed in."""
    if is_terminal(sys.stdout):
        print(document.decode())
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(document + b"\n")
