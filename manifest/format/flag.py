"""A variable of the runtime's environment that says yes or no."""

from __future__ import annotations

from collections.abc import Mapping

_YES = ("1", "t", "true")
_NO = ("0", "f", "false")
"""What Go's strconv.ParseBool takes, in any case."""
_SHOWN = 40
"""Characters of an unclear value that its sentence shows."""


def read_flag(environ: Mapping[str, str], name: str) -> bool | None:
    """Return what the variable says; None when it is not set, empty, or unclear."""
    word = _word(environ, name)
    return word in _YES if word in (*_YES, *_NO) else None


def unclear(environ: Mapping[str, str], name: str) -> str:
    """Return a sentence when the variable says something that is neither; else an empty text."""
    if not _word(environ, name) or read_flag(environ, name) is not None:
        return ""
    return (
        f"{name} is {environ[name][:_SHOWN]!r}, neither a yes ({', '.join(_YES)}) nor a no"
        f" ({', '.join(_NO)})"
    )


def _word(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip().lower()
