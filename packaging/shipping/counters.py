"""Counters that processes of a counting interpreter wrote (see native/counting.c), as a profile.

A record of the compiler (LLVM 22) is 64 bytes: the hash of a function's name, the hash of its
shape, where its counters lie (from the record on), three pointers, how many counters there are.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator

RECORD = struct.Struct("<QQq24xI12x")
NUMBERS = struct.Struct("<5Q")
Counts = dict[tuple[str, int], list[int]]
"""Name of a function and hash of its shape, to how often each of its places was come by."""
MOST = 2**62
"""A counter that is larger has run over."""


def summed(folder: str) -> Counts:
    """Return the sum of what all processes counted."""
    found: Counts = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            for key, counters in read(file.read()):
                before = found.get(key)
                found[key] = (
                    counters
                    if before is None
                    else [a + b for a, b in zip(before, counters, strict=True)]
                )
    return found


def read(content: bytes) -> Iterator[tuple[tuple[str, int], list[int]]]:
    """Yield what one process counted; nothing from a file that was not written to its end."""
    if len(content) < NUMBERS.size:
        return
    records_size, records_at, counters_size, counters_at, names_size = NUMBERS.unpack_from(content)
    records = NUMBERS.size
    counters = records + records_size
    names = counters + counters_size
    if len(content) != names + names_size or records_size % RECORD.size:
        return
    named = dict(_names(content[names:]))
    for start in range(0, records_size, RECORD.size):
        name, shape, away, number = RECORD.unpack_from(content, records + start)
        where = counters + records_at + start + away - counters_at
        values = list(struct.unpack_from(f"<{number}Q", content, where))
        if name in named:
            yield (named[name], shape), values


def _names(section: bytes) -> Iterator[tuple[int, str]]:
    """Yield the hashes of names, and the names: each file's follow their size and a zero."""
    at = 0
    while at < len(section):
        size, at = _number(section, at)
        packed, at = _number(section, at)
        if packed:
            raise ValueError("the names in the counting interpreter are compressed")
        for name in section[at : at + size].split(b"\1"):
            digest = hashlib.md5(name, usedforsecurity=False).digest()
            yield int.from_bytes(digest[:8], "little"), name.decode()
        at += size
        while at < len(section) and section[at] == 0:
            at += 1


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return a number in LEB128, and where the next thing stands."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def text(counts: Counts) -> str:
    """Return a profile in the text that llvm-profdata reads, in order of the names."""
    lines = [":ir"]
    for (name, shape), values in sorted(counts.items()):
        lines += [name, str(shape), str(len(values)), *(str(min(v, MOST)) for v in values), ""]
    return "\n".join(lines) + "\n"
