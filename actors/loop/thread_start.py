"""Starting a thread from one that must not stand still: a loop, an actor, the server."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from weakref import ref

LOOK_EVERY = 0.05
"""Seconds between two looks whether a thread that has not begun is there still."""


class _Held:
    """What a thread holds until it has ended, however early that is."""


def start_thread(run: Callable[[], object]) -> None:
    """Have ``run`` called on a new daemon thread, which has begun when this returns.

    Raises RuntimeError where the system gives no thread, or none with the memory to begin: for
    such a one ``Thread.start()`` waits for ever (CPython's issue 140746).
    """
    begun = allocate_lock()
    begun.acquire()

    def begin(_held: _Held) -> None:
        begun.release()
        run()

    held = _Held()
    is_there = ref(held)
    try:
        start_new_thread(begin, (held,))
    except MemoryError as error:
        raise RuntimeError("there is no memory for a new thread") from error
    del held
    while not begun.acquire(timeout=LOOK_EVERY):
        if is_there() is None and not begun.acquire(blocking=False):
            raise RuntimeError("there was no memory for a new thread to begin with")
