"""Whether the process of an instance has ended."""

from __future__ import annotations


def is_gone(pid: int | None) -> bool:
    """Whether no such process runs; one whose parent has yet to notice its end has ended.

    False where the number is not known (None), or the system does not tell.
    """
    if pid is None:
        return False
    import psutil

    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
