"""How a command is said to CreateProcess: which file, which line, which environment. Pure."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

import msgspec

BATCH = (".bat", ".cmd")
RUNNABLE = (".exe", ".com", *BATCH)
"""What CreateProcess starts (the last two through cmd.exe), in the order that PATHEXT has."""

LONGEST_LINE = 32_766
"""Characters without the closing zero: CreateProcessW's documentation."""

LONGEST_PATH = 259
"""MAX_PATH without the closing zero: longer ones need the ``\\\\?\\`` form."""

UNSAFE_IN_BATCH = '"%\r\n'
"""What cmd.exe interprets inside quotation marks, so that an argument could become a command."""


class Command(msgspec.Struct, frozen=True):
    """CreateProcessW's lpApplicationName and lpCommandLine."""

    application: str
    line: str


def command(
    argv: Sequence[str], system_root: str, is_file: Callable[[str], bool] = os.path.isfile
) -> Command:
    """Return what starts ``argv``, whose first word is an absolute path, with or without suffix.

    OSError when there is no such file, when a batch file would get an argument that cmd.exe
    cannot take unchanged, or when the line is too long for Windows.
    """
    program = find(argv[0], is_file)
    for word in argv:
        if "\0" in word:
            raise OSError(errno.EINVAL, "an argument contains a NUL character", program)
    if program.lower().endswith(BATCH):
        made = _batch(program, argv[1:], system_root)
    else:
        line = subprocess.list2cmdline([program, *argv[1:]])
        made = Command(application=long_form(program), line=line)
    if len(made.line) > LONGEST_LINE:
        text = f"the command line has {len(made.line)} characters, Windows takes {LONGEST_LINE}"
        raise OSError(errno.E2BIG, text, program)
    return made


def find(path: str, is_file: Callable[[str], bool] = os.path.isfile) -> str:
    """Return the file that ``path`` means; ``bin/api`` finds ``bin/api.exe``, then ``.com`` …

    A file without one of these suffixes counts only when none with a suffix is beside it: npm
    puts a shell script ``tool`` next to ``tool.cmd``. FileNotFoundError when nothing is there.
    """
    if not path.lower().endswith(RUNNABLE):
        for suffix in RUNNABLE:
            if is_file(path + suffix):
                return path + suffix
    if is_file(path):
        return path
    raise FileNotFoundError(errno.ENOENT, "No such file", path)


def _batch(program: str, arguments: Sequence[str], system_root: str) -> Command:
    """Name cmd.exe ourselves: left to CreateProcess, arguments could run commands (BatBadBut)."""
    for word in (program, *arguments):
        for character in UNSAFE_IN_BATCH:
            if character in word:
                text = f"cmd.exe cannot take {character!r} in an argument of a batch file"
                raise OSError(errno.EINVAL, text, program)
    words = " ".join(_in_quotation_marks(word) for word in (program, *arguments))
    shell = system_root + "\\System32\\cmd.exe"
    # /d no AutoRun, /v:off no !name!, /s strips exactly the outer pair of quotation marks
    return Command(application=shell, line=f'"{shell}" /d /e:on /v:off /s /c "{words}"')


def _in_quotation_marks(word: str) -> str:
    """Double the closing backslashes, which would otherwise quote the mark behind them."""
    closing = word[len(word.rstrip("\\")) :]
    return f'"{word}{closing}"'


def long_form(path: str) -> str:
    """Return ``path`` in the form without a length limit when it needs it."""
    if len(path) <= LONGEST_PATH or path.startswith("\\\\?\\"):
        return path
    plain = path.replace("/", "\\")
    return "\\\\?\\UNC" + plain[1:] if plain.startswith("\\\\") else "\\\\?\\" + plain


def environment_block(env: Mapping[str, str], system_root: str) -> str:
    """Return the environment as CreateProcessW takes it: sorted, each name once in any case.

    Of names that differ in case only the last one counts. SystemRoot is always there: without it
    Windows cannot load the socket libraries. OSError for a name or value that cannot be said.
    """
    folded: dict[str, tuple[str, str]] = {"SYSTEMROOT": ("SystemRoot", system_root)}
    for name, value in env.items():
        if not name or "=" in name[1:] or "\0" in name or "\0" in value:
            raise OSError(errno.EINVAL, f"environment variable {name!r} cannot be passed on")
        folded[name.upper()] = (name, value)
    pairs = (folded[key] for key in sorted(folded))
    return "".join(f"{name}={value}\0" for name, value in pairs) + "\0"
