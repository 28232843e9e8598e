"""The forms in which a service may print a secret, by which it is recognised in its output.

A value itself, each line of one of several lines (a key in PEM, which a program logs line by line),
and both as they stand in a string of JSON, which escapes quotes, back slashes and line ends, and in
some languages more. Not recognised are other codings: base64, URL escapes, compression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

SHORTEST_LINE = 4
"""Characters; shorter lines of a value stand in ordinary text all the time."""
LINES = 500
"""How many lines of one value are looked for, the longest; each costs a search of the output."""

_HTML = {letter: f"\\u{ord(letter):04x}" for letter in "<>&"}
_DOTNET = {letter: f"\\u{ord(letter):04X}" for letter in "\"'&+<>`"}

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
    """Yield what a text may look like in a string of JSON, where that is not the text itself."""
    if text.isalnum() and text.isascii():
        return
    try:
        plain = msgspec.json.encode(text).decode()[1:-1]
    except UnicodeEncodeError:
        return  # bytes that are no UTF-8 cannot stand in JSON
    ascii_only = _escaped(plain, "04x")
    dotnet = "".join(_DOTNET.get(letter, letter) for letter in plain.replace('\\"', '"'))
    for form in (
        plain,
        ascii_only,
        "".join(_HTML.get(letter, letter) for letter in plain),
        ascii_only.replace("/", "\\/"),
        plain.replace("/", "\\/"),
        _escaped(dotnet, "04X"),
    ):
        if form != text:
            yield form


def _escaped(text: str, digits: str) -> str:
    """Return the text with everything beyond ASCII as ``\\uXXXX``, in UTF-16 units."""
    if text.isascii():
        return text
    units = text.encode("utf-16-be")
    numbers = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(n) if n < 128 else f"\\u{n:{digits}}" for n in numbers)
