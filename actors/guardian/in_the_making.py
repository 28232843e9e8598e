"""A file that is being written is removed if the runtime dies before it has its name."""

from __future__ import annotations

from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:  # a Protocol costs a third of a millisecond
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Owner(Protocol):
        """Who removes files when the runtime has died: the guardian."""

        def own(
            self, path: str, containing: bytes = b"", *, last: bool = False, named: bool = False
        ) -> None:
            """Have a file removed if the runtime dies; ``last``: when all of the bundle ended."""

        def disown(self, path: str) -> None:
            """Leave a file alone."""


@contextmanager
def in_the_making(owner: Owner) -> Iterator[Callable[[str], object]]:
    """Yield what :func:`atomic.replacing` calls as ``making``."""
    made: list[str] = []

    def making(path: str) -> None:
        made.append(path)
        owner.own(path, last=True, named=True)

    try:
        yield making
    finally:
        for path in made:
            owner.disown(path)
