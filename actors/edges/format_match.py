"""Whether a secret has the format that the manifest asks for.

The pattern is searched for, as Go's ``MatchString`` does: its author anchors it. Patterns come from
elsewhere, so the engine is RE2, whose time is linear in the text (see :mod:`actors.edges.log_match`
for the figures). What RE2 cannot compile (look-ahead), and everything where there is no build of
it, is matched by Python's engine in a process of its own, which is ended after two seconds: then
the value counts as not having the format. That process costs a tenth of a second, on a request
that comes once in the life of an installation.
"""

from __future__ import annotations

from actors.edges import isolated

PATIENCE = 2.0
"""Seconds for Python's engine and one value."""


def matches(pattern: str, value: str) -> bool:
    """Whether ``value`` holds a match of ``pattern``. May block for some seconds; never raises."""
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        return _matches_isolated(pattern, value)
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.search(pattern, value, options) is not None
    except (re2.error, UnicodeEncodeError):
        return _matches_isolated(pattern, value)


def _matches_isolated(pattern: str, value: str) -> bool:
    try:
        return isolated.call(search, pattern, value, timeout=PATIENCE)
    except (TimeoutError, isolated.CallFailed):
        return False


def search(pattern: str, value: str) -> bool:
    """Search with Python's engine, for as long as that takes: the other process."""
    import re

    from manifest.pattern import to_python

    return re.search(to_python(pattern), value) is not None
