"""The fields of one request or answer, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterator

Pairs = list[tuple[str, str]]


class Headers:
    """Fields by name, whatever its case; a field may be there several times."""

    __slots__ = ("_first", "_pairs", "_repeated")

    def __init__(self) -> None:
        self._pairs: Pairs = []
        self._first: dict[str, str] = {}
        self._repeated: set[str] = set()

    def add(self, name: bytes, value: bytes) -> None:
        """Add a field as it was received: each character of its text is one byte of it."""
        spelt = name.decode("latin-1")
        text = value.decode("latin-1").strip(" \t")
        self._pairs.append((spelt, text))
        key = spelt.lower()
        if key in self._first:
            self._repeated.add(key)
        else:
            self._first[key] = text

    def replace(self, name: str, value: str) -> None:
        """Have one field of this name, with another value."""
        self._pairs = [pair for pair in self._pairs if pair[0].lower() != name.lower()]
        self._pairs.append((name, value))
        self._first[name.lower()] = value
        self._repeated.discard(name.lower())

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._first

    def holds_any(self, names: frozenset[str]) -> bool:
        """Whether one of these is there, by their names in small letters."""
        return not names.isdisjoint(self._first)

    def get(self, name: str) -> str | None:
        """The field of this name; several lines of it are one list (RFC 9110, section 5.3)."""
        name = name.lower()
        if name in self._repeated:
            return ", ".join(self.all(name))
        return self._first.get(name)

    def all(self, name: str) -> list[str]:
        """Every field of this name."""
        name = name.lower()
        if name not in self._first:
            return []
        return [value for spelt, value in self._pairs if spelt.lower() == name]

    def items(self) -> Iterator[tuple[str, str]]:
        """All fields, in order."""
        return iter(self._pairs)
