"""Mappings whose values must never be seen: in an error, a trace, a log of ours."""

from __future__ import annotations

from collections.abc import Mapping


class Concealed(dict[str, str]):
    """Values by name; its text shows the names only, and so does the text of what holds it."""

    def __repr__(self) -> str:
        return f"<concealed: {', '.join(self) or 'nothing'}>"

    __str__ = __repr__


def encoded(secrets: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    """Return secrets as the bytes that services read from their files."""
    return tuple((id_, value.encode("utf-8", "surrogateescape")) for id_, value in secrets.items())
