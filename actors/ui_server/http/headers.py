"""The fields of one request or answer, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterator

Pairs = list[tuple[str, str]]


class Headers:
    """Fields by name, whatever its case; a field may be there several times."""

    __slots__ = ("_first", "_pairs")

    def __init__(self) -> None:
        self._pairs: Pairs = []
        self._first: dict[str, str] = {}

    def add(self, name: bytes, value: bytes) -> None:
        """Add a field as it was received; a value that is not UTF-8 is taken for Latin-1."""
        spelt = name.decode("latin-1")
        try:
            text = value.decode().strip(" \t")
        except UnicodeDecodeError:
            text = value.decode("latin-1").strip(" \t")
        self._pairs.append((spelt, text))
        self._first.setdefault(spelt.lower(), text)

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first

    def get(self, name: str) -> str | None:
        """The first field of this name."""
        return self._first.get(name.lower())

    def all(self, name: str) -> list[str]:
        """Every field of this name."""
        name = name.lower()
        if name not in self._first:
            return []
        return [value for spelt, value in self._pairs if spelt.lower() == name]

    def items(self) -> Iterator[tuple[str, str]]:
        """All fields, in order."""
        return iter(self._pairs)
