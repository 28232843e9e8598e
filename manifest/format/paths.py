"""Paths of a bundle: relative to a root that they never leave, back slashes always separators."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping

WINDOWS = sys.platform == "win32"

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any suffix.
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)


LONGEST_NAME = 255
"""Bytes of a name in UTF-8, on Windows its UTF-16 code units: no common file system takes more."""
ESCAPED = "surrogateescape"
"""How Python holds the bytes of a name that are no UTF-8."""
LONGEST_LETTER = 4
"""Bytes, or code units, that a letter has at most."""


class PathRefused(ValueError):
    """A path that must not be used; the message is a sentence that names it, ``code`` its kind."""

    code = "path_not_allowed"


class EscapesRoot(PathRefused):
    """A path that leaves its root: ``..``, absolute, another drive, or a link that leads out."""

    code = "path_escapes_root"


def normalise(relative: str, *, windows: bool = WINDOWS) -> str:
    """Return the path with single forward slashes and without ``.`` and ``..``; ``"."`` for a root.

    Only the text is looked at. Raises EscapesRoot, and PathRefused for names that mean something
    else on Windows, or are none there: devices, trailing dots and blanks, alternate data streams.
    """
    path = relative.replace("\\", "/")
    if "\0" in path:
        raise PathRefused(f"path {relative!r} contains a NUL character; remove it.")
    if path.startswith("/") or _has_drive(path):
        raise _absolute(relative)
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                raise EscapesRoot(f"path '{relative}' leads out of its folder; remove the '..'.")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if parts and _has_drive(parts[0]):
        raise _absolute(relative)  # './c:/x' is 'c:/x'
    if windows:
        for part in parts:
            _refuse_on_windows(part, relative)
    if len(path) * LONGEST_LETTER > LONGEST_NAME:
        for part in parts:
            _refuse_long(part, windows)
    return "/".join(parts) or "."


def _has_drive(path: str) -> bool:
    return path[1:2] == ":" and path[0].isascii() and path[0].isalpha()


def _absolute(relative: str) -> EscapesRoot:
    return EscapesRoot(
        f"path '{relative}' is absolute; write it relative to the folder that it belongs to."
    )


def resolve(root: str, relative: str, *, windows: bool = WINDOWS) -> str:
    """Return the absolute path of ``relative`` under ``root``, which need not exist.

    Links are followed only to look where they lead: one that leads out raises EscapesRoot. Raises
    PathRefused as :func:`normalise` does.
    """
    top = os.path.abspath(root)
    inner = normalise(relative, windows=windows)
    if inner == ".":
        return top
    parts = inner.split("/")
    path = os.path.join(top, *parts)
    if crosses_link(top, parts) and not within(os.path.realpath(path), os.path.realpath(top)):
        raise EscapesRoot(
            f"path '{relative}' leads out of {root} by a link; put the file itself there."
        )
    return path


def crosses_link(top: str, parts: list[str]) -> bool:
    """Whether a part below the absolute ``top`` is a link.

    On Windows a junction hides from lstat: say yes.
    """
    if WINDOWS:
        return True
    path = top
    for part in parts:
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            return False
        if stat.S_ISLNK(mode):
            return True
    return False


def within(path: str, root: str) -> bool:
    """Whether an absolute path is ``root`` or below it, by its text (case as the system's)."""
    inner, outer = os.path.normcase(path), os.path.normcase(root)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


def part_below(path: str, root: str) -> str:
    """Return what a path within ``root`` says below it, by its text; ``"."`` for the root.

    ``os.path.relpath`` takes a folder's ``NUL`` for a device of another drive on Windows.
    """
    return path[len(root.rstrip(os.sep)) :].strip(os.sep) or "."


def is_template_of(path: str, root_name: str) -> bool:
    """Whether the path starts with the template ``${data}`` or ``${bundle}`` as a whole part."""
    start = f"${{{root_name}}}"
    return path == start or path.startswith((f"{start}/", f"{start}\\"))


def anchor(rendered: str, default: str, *roots: str, windows: bool = WINDOWS) -> str:
    """Return the absolute path of a rendered one: below ``default``, or below one of ``roots``.

    A template such as ``${data}/x`` renders to an absolute path, which may lie only below one of
    the roots. Raises as :func:`resolve` does.
    """
    native = rendered.replace("\\", os.sep)
    if os.path.isabs(native):
        clean = os.path.normpath(native)
        tops = [os.path.abspath(root) for root in (default, *roots)]
        for top in sorted(tops, key=len, reverse=True):  # one may lie in another, by a link
            if within(clean, top):
                return resolve(top, part_below(clean, top), windows=windows)
    return resolve(default, rendered, windows=windows)


def app_data_folder(app_name: str, environ: Mapping[str, str], system: str = sys.platform) -> str:
    """Return the default app-data folder, absolute: Go's ``os.UserConfigDir`` and the app's name.

    A HOME that is empty or not absolute counts as none: by it two commands would mean
    two folders.
    """
    return f"{_user_config_folder(environ, system)}{os.sep}{folder_name(app_name)}"


def home_folder(environ: Mapping[str, str]) -> str:
    """Return the user's home, absolute: HOME where it is absolute, else what the system knows."""
    named = environ.get("HOME", "")
    return named if os.path.isabs(named) else _home_of_user()


def ignored_home(environ: Mapping[str, str], system: str = sys.platform) -> str:
    """Return a sentence when the user's own place for app-data is none that can be used."""
    if system == "win32":
        return ""
    configured = environ.get("XDG_CONFIG_HOME", "")
    if system != "darwin" and os.path.isabs(configured):
        return ""
    used = _user_config_folder(environ, system)
    if system != "darwin" and configured:
        return f"XDG_CONFIG_HOME is no absolute path ({configured}); it is ignored, {used} is used"
    home = environ.get("HOME", "")
    if not home or os.path.isabs(home):
        return ""
    return f"HOME is no absolute path ({home}); it is ignored, {used} is used"


def folder_name(app_name: str) -> str:
    """Return the app's name as a folder name: lower case, ``-`` for blanks and path characters."""
    kept = "".join(
        "-" if letter.isspace() or letter in '/\\:*?"<>|' or ord(letter) < 32 else letter
        for letter in app_name.strip().lower()
    ).rstrip(".")
    name = kept or "bundle"
    return f"{name}-app" if name.partition(".")[0].upper() in _DEVICES else name


def is_device(name: str) -> bool:
    """Whether a file name means a device on Windows: ``con``, ``AUX.txt``, ``com1``."""
    return name.partition(".")[0].rstrip(" ").upper() in _DEVICES


def _user_config_folder(environ: Mapping[str, str], system: str) -> str:
    home = home_folder(environ)
    if system == "win32":
        return environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
    if system == "darwin":
        return os.path.join(home, "Library", "Application Support")
    configured = environ.get("XDG_CONFIG_HOME")
    if configured and os.path.isabs(configured):
        return configured
    return os.path.join(home, ".config")


if sys.platform == "win32":

    def _home_of_user() -> str:
        return os.path.expanduser("~")

else:

    def _home_of_user() -> str:
        """Return the home that the system knows, whatever HOME is; without one ``/``, as runc does.

        ``expanduser`` believes an empty HOME, and leaves ``~`` to a user whom the system lacks.
        """
        import pwd

        try:
            return pwd.getpwuid(os.getuid()).pw_dir or os.sep
        except KeyError:
            return os.sep


def _refuse_long(part: str, windows: bool) -> None:
    name = part.encode("utf-16-le", "surrogatepass") if windows else part.encode(errors=ESCAPED)
    if len(name) // (2 if windows else 1) > LONGEST_NAME:
        raise PathRefused(
            f"path '{part[:20]}...': a name in it is longer than {LONGEST_NAME}"
            f" {'characters' if windows else 'bytes'}; shorten it."
        )


def _refuse_on_windows(part: str, relative: str) -> None:
    if is_device(part):
        raise PathRefused(f"path '{relative}': '{part}' is a device on Windows; rename it.")
    if part[-1] in ". ":
        raise PathRefused(f"path '{relative}': '{part}' ends with a dot or a blank; rename it.")
    if ":" in part:
        raise PathRefused(f"path '{relative}': '{part}' contains a colon; rename it.")
    if found := next((one for one in part if one in '<>"|?*' or ord(one) < 32), ""):
        raise PathRefused(
            f"path '{relative}': '{part}' contains {found!r}, which Windows refuses; rename it."
        )
