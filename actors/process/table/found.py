"""A process that was found by its mark or its session."""

from __future__ import annotations

MARK = "SERVICE_INSTANCE_ID"
"""The environment variable that says to which start of which service a process belongs."""


class Found:
    """A living process; ``mark`` is empty when it was found by its session only.

    A plain class: the guardian uses it, and must not carry the memory of typing or msgspec.
    """

    __slots__ = ("created", "mark", "pid", "session")

    def __init__(self, pid: int, created: float, session: int, mark: str) -> None:
        self.pid = pid
        self.created = created
        self.session = session
        self.mark = mark

    def __repr__(self) -> str:
        return f"Found({self.pid}, {self.created}, {self.session}, {self.mark!r})"
