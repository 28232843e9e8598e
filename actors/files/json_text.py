"""JSON of texts that may hold bytes which are no UTF-8: paths, and what the system says of them.

Python carries such bytes as lone surrogates, which no JSON can. For readers they are shown as
``\\xff``; where we read a path back ourselves, they are kept: a NUL, which no path has, and four
hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def readable(text: str) -> str:
    """Return the text with what is no UTF-8 as ``\\xff`` (a byte) or ``\\ud800`` (a surrogate)."""
    return text if _is_clean(text) else _each_surrogate(text, _shown)


KEPT = "\n\t\u200c\u200d"
"""The joiners are part of words and pictures in many scripts."""


def visible(text: str) -> str:
    """Return text whose control characters are shown, so that it cannot steer a terminal.

    ``^[`` is an escape; what changes the direction of text, and the like, is shown as ``\\u202e``.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in KEPT else _control(letter) for letter in text
    )


def _control(letter: str) -> str:
    number = ord(letter)
    if number < 32 or number == 127:
        return f"^{chr(number ^ 64)}"
    return letter.encode("unicode_escape").decode()


def encode(value: object) -> bytes:
    """Return JSON for readers; never fails for what a text holds."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_with(readable, msgspec.to_builtins(value, enc_hook=str)))


def encode_kept(value: object) -> bytes:
    """Return JSON that :func:`decode_kept` turns into the same value."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_with(_keep, msgspec.to_builtins(value)))


def decode_kept(data: bytes, type_: type[T]) -> T:
    """Decode what :func:`encode_kept` made; raises ValueError (msgspec's errors are such)."""
    if b"\\u0000" not in data:
        return msgspec.json.decode(data, type=type_)
    return msgspec.convert(_with(_restore, msgspec.json.decode(data)), type_)


def _with(change: Callable[[str], str], value: Any) -> Any:
    """Return a value of JSON with every text in it changed, names of members too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _with(change, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with(change, item) for item in value]
    return value


def _is_clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _each_surrogate(text: str, change: Callable[[int], str]) -> str:
    return "".join(
        change(ord(letter)) if "\ud800" <= letter <= "\udfff" else letter for letter in text
    )


def _shown(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _keep(text: str) -> str:
    return _each_surrogate(text, lambda code: f"\0{code:04x}")


def _restore(text: str) -> str:
    first, *rest = text.split("\0")
    return first + "".join(chr(int(part[:4], 16)) + part[4:] for part in rest)
