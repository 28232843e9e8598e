"""The forms in which a service may print a secret, by which it is recognised in its output.

A value itself, each line of one of several lines (a key in PEM, which a program logs line by line),
and both as they stand in a string of JSON, which escapes quotes, back slashes and line ends, and in
some languages more. Not recognised are other codings: base64, URL escapes, compression.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

SHORTEST_LINE = 4
"""Characters; shorter lines of a value stand in ordinary text all the time."""
LINES = 500
"""How many lines of one value are looked for, the longest; each costs a search of the output."""

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_SEPARATORS = "\u2028\u2029"
"""Line ends in JavaScript, but not in JSON."""
_LOWER, _UPPER = "04x", "04X"


def _spelling(more: str = "", digits: str = _LOWER) -> dict[int, str]:
    """Return what letters become: numbers, of ``more`` and of controls where nothing is short."""

    def numbers(letters: Iterable[str]) -> dict[str, str]:
        return {letter: f"\\u{ord(letter):{digits}}" for letter in letters}

    return str.maketrans(numbers(map(chr, range(32))) | _SHORT | numbers(more))


_PLAIN = _spelling()
_SLASHED = _PLAIN | {ord("/"): "\\/"}
_WRITTEN = (  # with what is beyond ASCII as it is, or as numbers of these digits
    (_PLAIN, ""),  # JavaScript, Rust
    (_PLAIN, _LOWER),  # Python
    (_SLASHED, ""),  # PHP, if it is told to
    (_SLASHED, _LOWER),  # PHP
    (_spelling("<>&" + _SEPARATORS), ""),  # Go
    (_spelling("<>&\b\f" + _SEPARATORS), ""),  # Go before 1.22
    (_spelling("<>&='" + _SEPARATORS), ""),  # Gson
    (_spelling(digits=_UPPER), ""),  # Jackson
    (_spelling("\"'&+<>`", _UPPER), _UPPER),  # .NET
)

Forms = tuple[tuple[str, bytes], ...]


def forms(secrets: Mapping[str, str]) -> Forms:
    """Return secrets (by id) as the bytes that must not be seen, each with its id."""
    return tuple((id_, form) for id_, value in secrets.items() for form in _of(value))


def _of(value: str) -> list[bytes]:
    texts = [value, *_lines(value)]
    found = [text.encode("utf-8", "surrogateescape") for text in texts]
    found += [form.encode("utf-8") for text in texts for form in _in_json(text)]
    return list(dict.fromkeys(found))


def _lines(value: str) -> list[str]:
    if "\n" not in value and "\r" not in value:
        return []
    lines = dict.fromkeys(line.strip() for line in value.splitlines())
    telling = [line for line in lines if len(line) >= SHORTEST_LINE and _tells(line)]
    return sorted(telling, key=len, reverse=True)[:LINES]


def _tells(line: str) -> bool:
    """Whether a line says something: neither brackets only, nor where a key in PEM begins."""
    frame = line.startswith(("-----BEGIN ", "-----END ")) and line.endswith("-----")
    return not frame and any(letter.isalnum() for letter in line)


def _in_json(text: str) -> Iterator[str]:
    """Yield what a text may look like in a string of JSON, which may be the text itself."""
    if text.isalnum() and text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # bytes that are no UTF-8 cannot stand in JSON
    there = sorted(map(ord, set(text)))  # without the other letters most ways are one
    is_wide = max(there, default=0) > 126
    different = dict.fromkeys(
        (tuple((one, spelling[one]) for one in there if one in spelling), digits * is_wide)
        for spelling, digits in _WRITTEN
    )
    for letters, digits in different:
        spelt = text.translate(dict(letters)) if letters else text
        yield _escaped(spelt, digits) if digits else spelt


def _escaped(text: str, digits: str) -> str:
    """Return the text with everything beyond ASCII, and DEL, as ``\\uXXXX``, in UTF-16 units."""
    units = text.encode("utf-16-be")
    numbers = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(n) if n < 127 else f"\\u{n:{digits}}" for n in numbers)
