"""A word that says yes or no: a variable of the runtime's environment, a switch, a parameter."""

from __future__ import annotations

from collections.abc import Mapping

_YES = ("1", "t", "true")
_NO = ("0", "f", "false")
"""What Go's strconv.ParseBool takes, and any mixture of small and capital letters beside."""
WORDS = f"a yes ({', '.join(_YES)}) nor a no ({', '.join(_NO)})"
"""The words that are taken, as they stand behind *neither* in a sentence."""
_SHOWN = 40
"""Characters of an unclear value that its sentence shows."""


def parse_bool(text: str) -> bool | None:
    """Return whether a word says yes; None for one that says neither."""
    word = text.lower()
    return word in _YES if word in (*_YES, *_NO) else None


def read_flag(environ: Mapping[str, str], name: str) -> bool | None:
    """Return what the variable says; None when it is not set, empty, or unclear."""
    return parse_bool(_word(environ, name))


def unclear(environ: Mapping[str, str], name: str) -> str:
    """Return a sentence when the variable says something that is neither; else an empty text."""
    if not _word(environ, name) or read_flag(environ, name) is not None:
        return ""
    return f"{name} is {environ[name][:_SHOWN]!r}, neither {WORDS}"


def _word(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()
