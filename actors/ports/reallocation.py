"""Other ports for a service that has lost some: how often, and what is said of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

MOVES = 3
"""How often a service may be given other ports before it fails (the spec's number)."""

Ports = Mapping[str, int]
"""The ports of one service, by their names."""


class Move(msgspec.Struct, frozen=True):
    """One port that has another number now."""

    name: str
    port: int
    previous: int


def refusal(before: Ports, names: tuple[str, ...], moves: int) -> str:
    """Say why a service gets no other ports after so many moves; empty when it may have some."""
    if moves < MOVES:
        return ""
    return (
        f"port {_lost(before, names)} is taken by another program; {MOVES} other choices were too"
    )


def exhausted(before: Ports, names: tuple[str, ...]) -> str:
    """Say why a service gets no other ports although it might have some."""
    taken = _lost(before, names)
    return f"port {taken} is taken by another program, and its range has no free port"


def moved(before: Ports, after: Ports, names: tuple[str, ...]) -> list[Move]:
    """Return what has become of the ports that were lost."""
    return [Move(name, after[name], before[name]) for name in names]


def _lost(before: Ports, names: tuple[str, ...]) -> str:
    return ", ".join(f"{before[name]} ('{name}')" for name in names)
