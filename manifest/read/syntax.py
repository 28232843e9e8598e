"""Why bytes are no JSON: imported only when they are none."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from bundlevisor.manifest.format.findings import Finding

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

_BLANKS = " \t\r\n"
_SHOWN = 20
"""Digits of a long number."""


def explain(source: bytes) -> Finding:
    """Return the finding for ``source``, which :func:`msgspec.json.decode` refused."""
    return _encoding(source) or _emptiness(source) or _syntax(source)


def _encoding(source: bytes) -> Finding | None:
    if source.startswith(b"\xef\xbb\xbf"):
        return _finding(
            "byte_order_mark",
            "the file begins with a byte order mark; save it as UTF-8 without one.",
        )
    for mark, name in _MARKS:
        if source.startswith(mark):
            return _finding("not_utf8", f"the file is written in {name}; save it as UTF-8.")
    try:
        source.decode()
    except UnicodeDecodeError as error:
        return _finding(
            "not_utf8",
            f"the file is not UTF-8: byte 0x{source[error.start]:02x} at"
            f" {_position(source, error.start)}; save it as UTF-8.",
        )
    return None


def _emptiness(source: bytes) -> Finding | None:
    if not source:
        return _finding("manifest_empty", "the file is empty; it must hold a bundle.")
    if not source.strip(_BLANKS.encode()):
        return _finding("manifest_empty", "the file holds only blanks; it must hold a bundle.")
    if not source.strip(b"\0"):
        return _finding(
            "manifest_empty", "the file holds only zero bytes; it was not written to its end."
        )
    return None


def _syntax(source: bytes) -> Finding:
    try:
        msgspec.json.decode(source)
    except RecursionError:
        return _finding(
            "nested_too_deeply", "the file nests brackets too deeply; no bundle needs that."
        )
    except msgspec.ValidationError:
        number = _too_large(source)
        return _finding(
            "number_out_of_range",
            f"the number {number} is too large to be read; write a smaller one.",
        )
    except msgspec.DecodeError as error:
        return _malformed(source, str(error))
    return _finding("not_json", "the file is no JSON.")


def _too_large(source: bytes) -> str:
    """Return the first number that cannot be held, as it is written; a long one is cut."""
    import json

    found: list[str] = []

    def read(literal: str) -> int:
        try:
            msgspec.json.decode(literal)
        except msgspec.ValidationError:
            found.append(literal)
        return 0

    with suppress(ValueError, RecursionError):  # something else is wrong behind it
        json.loads(source, parse_int=read, parse_float=read)
    first = "".join(found[:1])
    return first if len(first) <= _SHOWN else f"{first[:_SHOWN]}..."


def _malformed(source: bytes, message: str) -> Finding:
    """Prefer the standard library's words: they come with line and column."""
    import json

    text = source.decode()
    constants: list[str] = []
    try:
        json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        if "truncated" in message:
            return _finding(
                "truncated", f"the file ends too early ({place}: {error.msg}); copy it again."
            )
        words = _foreign_syntax(text, error.pos) or f"{error.msg.lower()} ({place})"
        return _finding("not_json", f"the file is no JSON: {words}.")
    except (RecursionError, ValueError):
        return _finding("not_json", f"the file is no JSON: {message}.")
    if constants:
        return _finding(
            "not_a_number", f"{constants[0]} is no JSON; write a number or leave the field out."
        )
    return _finding(
        "not_json", f"the file is no JSON: {message}; look for half a surrogate pair (\\ud800)."
    )


def _foreign_syntax(text: str, position: int) -> str:
    """Say what other formats allow and JSON does not, where the parser stopped; empty: nothing.

    Versions of Python stop at a comma too many, or behind it.
    """
    rest = text[position:].lstrip(_BLANKS)
    at = len(text) - len(rest)
    if rest.startswith(("//", "/*", "#")):
        return f"JSON has no comments; remove the one at {_line_and_column(text, at)}"
    if rest.startswith("'"):
        return f"JSON has texts in double quotes; replace the ' at {_line_and_column(text, at)}"
    comma = at if rest.startswith(",") else len(text[:at].rstrip(_BLANKS)) - 1
    if text[comma : comma + 1] == "," and text[comma + 1 :].lstrip(_BLANKS)[:1] in ("]", "}"):
        place = _line_and_column(text, comma)
        return f"JSON has no comma before a closing bracket; remove the one at {place}"
    return ""


def _line_and_column(text: str, offset: int) -> str:
    before = text[:offset]
    line = before.count("\n") + 1
    newline = before.rfind("\n")
    return f"line {line}, column {offset - newline}"


def _position(source: bytes, offset: int) -> str:
    before = source[:offset]
    newline = before.rfind(b"\n")
    line = before.count(b"\n") + 1
    return f"line {line}, byte {offset - newline}"


def _finding(code: str, sentence: str) -> Finding:
    return Finding(code, "", sentence)
