"""Which file a command's first word means.

The bundle root goes first, then the folder of the service's binary, then ``PATH`` when the word has
no separator.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress

from bundlevisor.manifest.format.paths import WINDOWS, PathRefused, anchor, within

Probe = Callable[[str], bool]
"""Whether a path is a file that can be run."""

NAMED = 4
"""How many folders an error names at most: the bundle's root, bin and cli, and the binary's."""

_SUFFIXES = ".COM;.EXE;.BAT;.CMD"
"""What Windows takes for PATHEXT when it is not set."""


def names_program(command: list[str]) -> bool:
    """Whether there is a first word, and something in it."""
    return any(word.strip() for word in command[:1])


class CommandNotFound(LookupError):
    """No file fits a command's first word.

    ``forbidden`` is one that would, and must not be run; empty when there is none.
    """

    def __init__(self, reason: str, forbidden: str = "") -> None:
        self.forbidden = forbidden
        super().__init__(reason)


def remedy(forbidden: str) -> str:
    """Say what lets a file be run that is there and must not be."""
    with suppress(OSError):
        if os.stat(forbidden).st_mode & 0o111:
            return "its executable bit is set, but not for this user, or the disk is mounted noexec"
    return "set its executable bit"


def candidates(
    word: str,
    *,
    bundle: str,
    data: str,
    binary_folder: str = "",
    environ: Mapping[str, str],
    windows: bool = WINDOWS,
) -> tuple[str, ...]:
    """Return the absolute paths that a rendered command word may mean, the first one first.

    ``binary_folder`` is absolute, and lies outside where an overlay has the binary there; a folder
    of PATH keeps its place in that. On Windows each path is followed by those with the suffixes of
    PATHEXT. Raises PathRefused when the word leads out of the bundle.
    """
    places = [anchor(word, bundle, data, windows=windows)]
    named = environ.get("PATH", "").split(";" if windows else ":")
    folders = [folder for folder in named if os.path.isabs(folder)]
    if binary_folder and not os.path.isabs(word):
        inside = within(binary_folder, bundle) or within(binary_folder, data)
        if inside or binary_folder not in folders:
            root = bundle if inside else binary_folder
            places += _beside(word, binary_folder, root, data, windows)
    if _is_bare(word):
        places += [os.path.join(folder, word) for folder in folders]
    names = [name for place in places for name in with_suffixes(place, environ, windows=windows)]
    return tuple(dict.fromkeys(names))


def find(word: str, places: tuple[str, ...], runnable: Probe | None = None) -> str:
    """Return the first of ``places`` that can be run; raises CommandNotFound."""
    probe = runnable or is_runnable
    for place in places:
        if probe(place):
            return place
    forbidden = next(filter(os.path.isfile, places), "")
    if forbidden:
        reason = f"command is not executable: {word} ({forbidden}); {remedy(forbidden)}"
        raise CommandNotFound(reason, forbidden)
    raise CommandNotFound(_not_found(word, places))


def is_runnable(path: str) -> bool:
    """Whether the path is a file with the permission to run it (on Windows: a file)."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def with_suffixes(
    path: str, environ: Mapping[str, str], *, windows: bool = WINDOWS
) -> tuple[str, ...]:
    """Return the path itself and, on Windows, with each suffix of PATHEXT."""
    if not windows:
        return (path,)
    suffixes = [item for item in (environ.get("PATHEXT") or _SUFFIXES).split(";") if item]
    if path.lower().endswith(tuple(suffix.lower() for suffix in suffixes)):
        return (path,)
    return (path, *(path + suffix.lower() for suffix in suffixes))


def spelled(path: str, environ: Mapping[str, str], *, windows: bool = WINDOWS) -> str:
    """Return the file that a program's path means here, with its suffix; the path where none is."""
    return next(filter(os.path.isfile, with_suffixes(path, environ, windows=windows)), path)


def on_path(word: str, environ: Mapping[str, str]) -> str:
    """Return what PATH has under a name without a separator; empty where it has nothing."""
    if not _is_bare(word):
        return ""
    places = (
        name
        for folder in environ.get("PATH", "").split(os.pathsep)
        if os.path.isabs(folder)
        for name in with_suffixes(os.path.join(folder, word), environ)
    )
    return next(filter(is_runnable, places), "")


def _is_bare(word: str) -> bool:
    return not any(separator in word for separator in "/\\")


def _not_found(word: str, places: tuple[str, ...]) -> str:
    if _is_bare(word):
        return (
            f"command not found: {word} (looked in {_folders(places)}); "
            "is the bundle complete, and the command installed?"
        )
    looked_for = " and ".join(_unsuffixed(places))
    return (
        f"command not found: {word} (looked for {looked_for}, and not on PATH: there only names"
        " without a separator are looked for); is the bundle complete?"
    )


def _folders(places: tuple[str, ...]) -> str:
    """Name the folders of the bundle and count the others: PATH may have dozens."""
    folders = list(dict.fromkeys(map(os.path.dirname, places)))
    named = [folder for folder in folders if within(folder, folders[0])][:NAMED]
    others = len(folders) - len(named)
    counted = [f"{others} {'folder' if others == 1 else 'folders'} of PATH"] if others else []
    return " and ".join([", ".join(named), *counted])


def _unsuffixed(places: tuple[str, ...]) -> list[str]:
    """Leave out what differs from the path before it by a suffix of Windows only."""
    kept: list[str] = []
    for place in places:
        if not (kept and place.startswith(f"{kept[-1]}.")):
            kept.append(place)
    return kept


def _beside(word: str, folder: str, root: str, data: str, windows: bool) -> list[str]:
    """Return the word's place in the folder of the service's binary, unless it leads out."""
    try:
        return [anchor(os.path.join(folder, word), root, data, windows=windows)]
    except PathRefused:
        return []
