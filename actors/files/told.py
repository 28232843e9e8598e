"""The words for an error of the file system: never without the name of the file."""

from __future__ import annotations


def told(error: OSError) -> str:
    """Return ``<file>: <what is wrong>``; of a rename or a copy, the name that was wanted."""
    first = error.args[0] if error.args else None
    if isinstance(first, list) and first and isinstance(first[0], tuple) and len(first[0]) == 3:
        _, target, reason = first[0]  # shutil.Error: one for each file that was not copied
        return str(reason) if str(target) in str(reason) else f"{target}: {reason}"
    name = error.filename2 or error.filename
    return f"{name}: {error.strerror}" if name and error.strerror else str(error)
