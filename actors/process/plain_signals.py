"""What signal does, without the enumerations that it makes of what was before.

They cost a guardian 150 KiB, and each start 2 ms; nobody looks at them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_signals: Any = __import__("_signal")


def handle(number: int, how: Callable[..., object] | int) -> None:
    """Set what is done at a signal: a function, SIG_IGN or SIG_DFL, as number or member."""
    _signals.signal(number, int(how) if isinstance(how, int) else how)


def change_mask(how: int, numbers: Iterable[int]) -> set[int]:
    """Change this thread's mask of signals (POSIX); return what it was."""
    before: set[int] = _signals.pthread_sigmask(how, numbers)
    return before
