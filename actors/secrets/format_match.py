"""Whether a secret has the format that the manifest asks for.

The pattern is searched for, as Go's ``MatchString`` does: its author anchors it. Patterns come from
elsewhere, so the engine is RE2, whose time is linear in the text (see
:mod:`bundlevisor.actors.logs.match` for the figures). What RE2 cannot compile (look-ahead), and
everything where there is no build of it, is matched by Python's engine; that, and RE2 where pattern
and value are both large, is done in a process of its own, which is ended after two seconds: then
the value counts as not having the format. That process costs a tenth of a second, on a request that
comes once in the life of an installation.
"""

from __future__ import annotations

from typing import Any

from bundlevisor.actors.process import isolated_call

PATIENCE = 2.0
"""Seconds for a value in a process of its own."""
QUICK = 10_000_000
"""Instructions of the pattern times bytes of the value that RE2 does at once: 0.1 s at worst."""


def matches(pattern: str, value: str) -> bool:
    """Whether ``value`` holds a match of ``pattern``. May block for some seconds; never raises."""
    try:
        compiled = _compile(pattern)
    except ImportError:
        return _isolated(search, pattern, value)
    if compiled is None:
        return _isolated(search, pattern, value)
    try:
        if compiled.programsize * len(value) > QUICK:
            return _isolated(search_re2, pattern, value)
        return compiled.search(value) is not None
    except UnicodeEncodeError:
        return _isolated(search, pattern, value)


def _compile(pattern: str) -> Any:
    """Return the pattern as RE2 has it, None when it does not take it; raises ImportError."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


def _isolated(search: Any, pattern: str, value: str) -> bool:
    try:
        return bool(isolated_call.call(search, pattern, value, timeout=PATIENCE))
    except (TimeoutError, isolated_call.CallFailed):
        return False


def search_re2(pattern: str, value: str) -> bool:
    """Search with RE2, for as long as that takes: the other process."""
    return _compile(pattern).search(value) is not None


def search(pattern: str, value: str) -> bool:
    """Search with Python's engine, for as long as that takes: the other process."""
    import re

    from bundlevisor.manifest.format.pattern import to_python

    return re.search(to_python(pattern), value) is not None
