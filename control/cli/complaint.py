"""What is said on stderr, in a sentence."""

from __future__ import annotations

import contextlib
import sys

from bundlevisor.actors.files.json_text import visible


def complain(sentence: str, code: int) -> int:
    """Say on stderr why there is no answer; returns ``code``."""
    with contextlib.suppress(OSError):  # `2>&1 > file` on a full disk
        print(f"bundlevisor: {visible(sentence)}", file=sys.stderr)
    return code
