"""Which modules are kept, and where: searched in bytes.

Of the eight hundred that may be needed later a run asks for some; as a table of strings and tuples
all of them would take 0.3 MiB as long as it lasts. An entry is read when it is asked for.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    Entry = tuple[str, list[str] | None, int, int]
    """Origin; folders of a package; where its code lies, how long that is: 0 for machine code."""
    Place = tuple[int, int]
    """Offset and length."""

    class CodeSource(Protocol):
        """Where bytecode is read from."""

        def read(self, offset: int, length: int) -> bytes:
            """Return so many bytes from there."""

    class CodeSink(Protocol):
        """Where bytecode is put."""

        def write(self, data: bytes) -> int:
            """Put them at the end; return where that was."""


AT, LONG = 8, 4
"""Bytes of an entry's offset, and of its length."""


class KeptIndex:
    """What :func:`write` has written there."""

    def __init__(self, source: CodeSource, place: Place) -> None:
        self._source = source
        self._names: bytes
        """Each with a zero before and behind it."""
        self._places: bytes
        self._names, self._places = marshal.loads(source.read(*place))  # noqa: S302 - our own

    def get(self, name: str) -> Entry | None:
        """Return the entry of a module; None where it is not kept."""
        found = self._names.find(b"\0%b\0" % name.encode())
        if found < 0:
            return None
        start = self._names.count(b"\0", 0, found) * (AT + LONG)
        place = self._places[start : start + AT + LONG]
        at, length = int.from_bytes(place[:AT], "little"), int.from_bytes(place[AT:], "little")
        entry: Entry = marshal.loads(self._source.read(at, length))  # noqa: S302 - our own
        return entry


def write(sink: CodeSink, entries: Mapping[str, Entry]) -> Place:
    """Write the entries, and an index of them; return where that lies."""
    places = b""
    for entry in entries.values():
        packed = marshal.dumps(entry)
        places += sink.write(packed).to_bytes(AT, "little") + len(packed).to_bytes(LONG, "little")
    index = marshal.dumps(("\0".join(("", *entries, "")).encode(), places))
    return sink.write(index), len(index)
