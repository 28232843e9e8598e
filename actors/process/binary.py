"""The file that a service or a command runs: where it is, and why it cannot be run.

A start looks only whether the file may be run; its header is read when the system has refused it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Collection
from contextlib import suppress

from bundlevisor.manifest.format.paths import part_below, within
from bundlevisor.manifest.plan.command import on_path, remedy
from bundlevisor.manifest.plan.launch import LaunchPlan

BAD_CPU_TYPE = 86
"""EBADARCH of macOS, intro(2); Python's errno does not have it."""
BAD_FORMAT = (193, 216)
"""ERROR_BAD_EXE_FORMAT and ERROR_EXE_MACHINE_TYPE_MISMATCH of Windows."""
KEPT_FROM_US = (5, 32)
"""ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION of Windows, which has no executable bit."""
_INCOMPLETE = "is the bundle complete?"
_REMEDIES = {
    **dict.fromkeys((errno.EIO, errno.ESTALE), "put that disk right"),
    errno.EACCES: "give this user the right to look into its folder",
}
APP_ALIAS = 0x8000001B
"""IO_REPARSE_TAG_APPEXECLINK: how Windows keeps the commands of apps from its store, Python among
them. CreateProcess runs such a file, and nobody reads it."""
ALL_IN_ONE = sys.platform == "linux"
"""Whether all behind the interpreter of a #! line is one argument (execve(2)), blanks and all."""


class Unusable(Exception):
    """A file that cannot be run: a finding's code, and a sentence without its service."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)


def locate(plan: LaunchPlan, bundle_root: str) -> str:
    """Return the file to run; Unusable when there is none or it must not be run."""
    there = next((path for path in plan.programs if os.path.isfile(path)), None)
    if there is None:
        path = plan.programs[0]
        if unseen := _unseen(path):
            reason = f"binary cannot be read: {plan.word} ({path}): {unseen}"
            raise Unusable("binary_not_executable", reason)
        folder = os.path.isdir(path)
        inside = within(path, bundle_root)
        shown = os.path.join("BUNDLE", part_below(path, bundle_root)) if inside else path
        raise Unusable(
            "binary_is_directory" if folder else "binary_missing",
            f"binary {'is a folder' if folder else 'not found'}: {plan.word} (looked in {shown}"
            f"{_of_path(plan)}); {_INCOMPLETE}",
        )
    if not os.access(there, os.X_OK):
        raise Unusable(
            "binary_not_executable",
            f"binary is not executable: {plan.word} ({there}); {remedy(there)}",
        )
    return there


def _unseen(path: str) -> str:
    """Say why nobody can tell whether a file is there; empty when it is known."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"{error.strerror}; {_REMEDIES.get(error.errno or 0, _INCOMPLETE)}"
    return ""


def missing_folder(folder: str, named: str, *, is_data: bool) -> str:
    """Say why nothing can be run in a folder, which the bundle names so; empty when it is there."""
    if os.path.isdir(folder):
        return ""
    made = "name it in data_dirs, which has it made" if is_data else _INCOMPLETE
    return f"working directory not found: {named} (looked in {folder}); {made}"


def _of_path(plan: LaunchPlan) -> str:
    """Say what PATH is to a name alone, which looks as if it was searched for it."""
    if "/" in plan.word or "\\" in plan.word:
        return ""
    found = on_path(plan.word, plan.environment)
    if found:
        return f", and not on PATH, though there is {found}: the program comes with the bundle"
    return ", nor is it on PATH, where only an overlay's program is looked for"


def examine(path: str, platform: str) -> None:
    """Read a file's header; Unusable when ``platform`` cannot run such a file. Raises OSError."""
    from bundlevisor.actors.process import binary_header

    if platform.startswith("win-"):
        from bundlevisor.actors.process.windows import command

        path = command.find(path)
        if getattr(os.lstat(path), "st_reparse_tag", 0) == APP_ALIAS:
            return
    header = binary_header.read(_head(path))
    if binary_header.is_foreign(header, platform):
        raise Unusable("binary_wrong_architecture", _foreign(path, header.platforms, platform))
    if platform.startswith("win-"):
        runs = path.lower().endswith(command.BATCH) or bool(header.platforms)
    else:
        runs = header.is_known
    if not runs:
        raise Unusable(
            "binary_not_executable",
            f"cannot run {path}: it is no program for this machine, nor a script with a #! line",
        )


def folders_of_path(plan: LaunchPlan) -> list[str]:
    """Return the folders in which a process that is run so looks for programs."""
    named = plan.environment.get("PATH", "").split(os.pathsep)
    return [os.path.normpath(os.path.join(plan.cwd, one)) for one in named]


def missing_interpreter(path: str, folders: Collection[str] = ()) -> str:
    """Say which interpreter a script names in vain; empty when all is well, or it is no script.

    What env(1) is to find is looked for in ``folders``; without any it is not.
    """
    from bundlevisor.actors.process import binary_header

    header = binary_header.read(_head(path))
    name = header.interpreter
    if not name:
        return ""
    if not os.path.isabs(name):
        return ""  # below the folder that it is run in
    if not os.path.isfile(name):
        return _of_script(path, name)
    if os.path.basename(name) != "env" or not folders:
        return ""
    word = header.argument if ALL_IN_ONE else header.argument.partition(" ")[0]
    if not word or word.startswith("-") or "=" in word or "/" in word:
        return ""
    found = any(os.access(os.path.join(folder, word), os.X_OK) for folder in folders)
    return "" if found else _of_script(path, word)


def why_refused(path: str, error: OSError, platform: str) -> Unusable:
    """Say why the system did not run a file that is there."""
    code = _windows_code(error)
    if error.errno == errno.ENOENT and not code:
        unnamed = f"cannot run {path}: the interpreter that it names (#! line or loader) is missing"
        with suppress(OSError):
            return Unusable("interpreter_missing", missing_interpreter(path) or unnamed)
        return Unusable("interpreter_missing", unnamed)
    if error.errno == errno.EACCES and not code:
        reason = f"cannot run {path}: permission denied; {remedy(path)}"
        return Unusable("binary_not_executable", reason)
    if error.errno == errno.EAGAIN:
        reason = f"cannot run {path}: this user may have no more processes (see ulimit -u)"
        return Unusable("binary_not_executable", reason)
    if error.errno in (errno.ENOEXEC, BAD_CPU_TYPE) or code in BAD_FORMAT:
        try:
            examine(path, platform)
        except Unusable as unusable:
            return unusable
        except OSError as unreadable:
            error = unreadable
    reason = f"cannot run {path}: {error.strerror or error}"
    if code in KEPT_FROM_US:
        reason += " An antivirus program or a policy of this machine may keep it from being run."
    return Unusable("binary_not_executable", reason)


def _windows_code(error: OSError) -> int:
    return int(getattr(error, "winerror", None) or 0)


def _foreign(path: str, built_for: tuple[str, ...], platform: str) -> str:
    named = " and ".join(built_for)
    return f"cannot run {path}: it is built for {named}, and this machine is {platform}"


def _of_script(path: str, interpreter: str) -> str:
    plain = interpreter.rstrip("\r")
    ends = "" if plain == interpreter else " (the line ends as on Windows: save it with LF)"
    return f"{path} is a script for '{plain}', which is not there{ends}"


def _head(path: str) -> bytes:
    from bundlevisor.actors.process.binary_header import LENGTH

    with open(path, "rb", buffering=0) as file:
        return file.read(LENGTH)
