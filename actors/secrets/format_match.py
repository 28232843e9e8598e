"""Whether a secret has the format that the manifest asks for.

The pattern is searched for, as Go's ``MatchString`` does: its author anchors it. RE2's time is
linear in the text (:mod:`bundlevisor.manifest.format.pattern`). Where pattern and value are both
large it searches in a process of its own, which is ended after two seconds: then the value counts
as not having the format. That process costs a tenth of a second, on a request that comes once in
the life of an installation.
"""

from __future__ import annotations

from bundlevisor.actors.process import isolated_call
from bundlevisor.manifest.format.pattern import compile_pattern

PATIENCE = 2.0
"""Seconds for a value in a process of its own."""
QUICK = 10_000_000
"""Instructions of the pattern times bytes of the value that RE2 does at once: 0.1 s at worst."""


def matches(pattern: str, value: str) -> bool:
    """Whether ``value`` holds a match of ``pattern``, which RE2 takes. May block for seconds."""
    compiled = compile_pattern(pattern)
    text = value.encode("utf-8", "surrogatepass")
    if compiled.programsize * len(text) <= QUICK:
        return compiled.search(text) is not None
    try:
        return isolated_call.call(search, pattern, text, timeout=PATIENCE)
    except (TimeoutError, isolated_call.CallFailed):
        return False


def search(pattern: str, text: bytes) -> bool:
    """Search for as long as it takes: the other process."""
    return compile_pattern(pattern).search(text) is not None
