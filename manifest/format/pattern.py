"""Regular expressions of a bundle: RE2's syntax, which Go's runtime takes, and RE2's engine.

https://github.com/google/re2/wiki/Syntax. Its time is linear in the text whatever the pattern:
1 MiB of the worst text for ``(a+)+$`` takes it 2 ms, and an engine that backtracks more than the
age of the universe. Look-around and back-references, which have no such bound, are refused.
"""

from __future__ import annotations

from typing import Any

LONGEST = 4_000
"""Characters; nobody means more, and RE2 needs 0.2 s for the worst of them, 16 s for 300,000."""

_SPECIAL = frozenset("\\()[]{}*+?|")
_PLACES = frozenset("^$.")
"""What is right wherever it stands, and yet means something else than itself."""
_PLAIN = 1_000
"""Characters of a pattern without special ones that RE2 is sure to take."""


def compile_pattern(pattern: str, *, by_line: bool = False) -> Any:
    """Return a pattern with RE2's ``search`` and ``programsize``; groups without a name
    are not kept.

    With ``by_line`` its ``^`` and ``$`` stand at every line. Imports RE2 (4 ms) on first use.
    Raises ValueError with RE2's own sentence for what :func:`why_refused` refuses.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    given = f"(?m){pattern}" if by_line else pattern
    try:
        return re2.compile(given, options)
    except UnicodeEncodeError:
        raise ValueError("it is no valid Unicode") from None
    except re2.error as error:
        raise ValueError(error.args[0].decode().replace(given, pattern)) from None


def plain_text(pattern: str) -> bytes | None:
    """Return what a pattern without anything special looks for: RE2 finds the same, and is 1.3 MiB.

    None for any other. Raises ValueError for what is no valid Unicode.
    """
    if _SPECIAL.isdisjoint(pattern) and _PLACES.isdisjoint(pattern):
        return pattern.encode()
    return None


def why_refused(pattern: str) -> str:
    """Return RE2's sentence of a pattern that it does not take; empty when it takes it.

    Plain text is not given to it: most bundles start without it.
    """
    if len(pattern) <= _PLAIN and _SPECIAL.isdisjoint(pattern):
        return ""
    try:
        compile_pattern(pattern)
    except ValueError as refused:
        return str(refused)
    return ""
