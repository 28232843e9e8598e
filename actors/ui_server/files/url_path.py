"""What a URL path asks for, as file names that mean the same on every platform.

The rules are those of the strictest system, applied everywhere: what Windows would read as a
drive, a stream (``a.txt::$DATA``), a device (``con``) or another spelling of a name (a trailing
dot or blank) is no file here on Linux either. A client-side route never becomes a file name and
may hold more: ``/tags/urn:isbn:1``, ``/find/why%3F``.
https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

from __future__ import annotations

import re
from functools import lru_cache

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(?:\..*)?",
    re.IGNORECASE,
)
_TRICK = re.compile(r"[\x00-\x1f\x7f\\]|^$|^\.(?!well-known$)|^[A-Za-z]:$|:\$")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})|%")


@lru_cache(maxsize=512)
def split(raw_path: str) -> tuple[str, ...] | None:
    """Decode a path (without its query) once and split it; None when it can name no file.

    ``()`` is the root; a last empty name asks for a folder (``/docs/`` is ``("docs", "")``).
    """
    decoded = decode(raw_path)
    if decoded is None or not decoded.startswith("/"):
        return None
    *folders, last = decoded[1:].split("/")
    if not all(map(is_servable, folders)) or not (last == "" or is_servable(last)):
        return None
    return (*folders, last) if folders or last else ()


def is_servable(name: str) -> bool:
    """Whether one path segment may name a file: no tricks, and not hidden (``.well-known`` is)."""
    if not name or name[-1] in ". " or (name[0] == "." and name != ".well-known"):
        return False
    return not _FORBIDDEN.search(name) and not _DEVICE.fullmatch(name)


def is_route(raw_path: str) -> bool:
    """Whether a path may be a client-side route: no suffix, and no trick of any kind."""
    decoded = decode(raw_path)
    if decoded is None or not decoded.startswith("/"):
        return False
    names = tuple(decoded[1:].removesuffix("/").split("/"))
    return names == ("",) or not (has_suffix(names) or any(map(_is_trick, names)))


def _is_trick(name: str) -> bool:
    """A segment that is more likely an attempt to leave the folder than part of a route."""
    return bool(_TRICK.search(name) or _DEVICE.fullmatch(name))


def has_suffix(names: tuple[str, ...]) -> bool:
    """Whether the last name has a suffix: then it asks for a file, not for a client-side route."""
    named = [name for name in names if name]
    return bool(named) and "." in named[-1][1:]


def spellings(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The names as asked for, then composed (NFC) and decomposed (NFD).

    macOS writes decomposed names into archives; pages link to composed ones.
    """
    found = [names]
    if not all(map(str.isascii, names)):
        try:
            import unicodedata  # 1 MiB for those who need it
        except ImportError:  # the program's files are gone
            return found
        for form in ("NFC", "NFD"):
            spelt = tuple(unicodedata.normalize(form, name) for name in names)
            if spelt not in found:
                found.append(spelt)
    return found


def decode(raw_path: str) -> str | None:
    """Percent-decode once; None for a stray ``%`` or what is not UTF-8 afterwards."""
    if "%" not in raw_path and raw_path.isascii():
        return raw_path
    raw = raw_path.encode("utf-8", "surrogateescape")
    if any(match[1] is None for match in _ESCAPE.finditer(raw)):
        return None
    decoded = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), raw)
    try:
        return decoded.decode("utf-8")
    except UnicodeDecodeError:
        return None
