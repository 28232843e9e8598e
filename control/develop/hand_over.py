"""Letting a command have this terminal: it gets the keys and the signals, and its exit code counts.

On POSIX it takes the place of this process. On Windows, which has no such thing, this process waits
for it, and leaves Ctrl-C and Ctrl-Break, which both get, to it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

NOT_EXECUTABLE = 126
NOT_FOUND = 127
"""Exit codes of the shells (POSIX, 2.8.2)."""


class CannotRun(Exception):
    """A sentence that says why; ``code`` is the exit code."""

    def __init__(self, reason: str, code: int) -> None:
        self.code = code
        super().__init__(reason)


def _refusal(word: str, error: OSError) -> CannotRun:
    if isinstance(error, FileNotFoundError):
        return CannotRun(f"command not found: {word}", NOT_FOUND)
    return CannotRun(f"cannot run {word}: {error.strerror or error}", NOT_EXECUTABLE)


if sys.platform == "win32":

    def hand_over(words: Sequence[str], env: dict[str, str], cwd: str) -> int:
        """Run the command in that folder; returns its exit code. Raises CannotRun."""
        import shutil
        import signal
        import subprocess

        from bundlevisor.actors.process.windows.command import command

        found = _program(words[0], env, cwd) or shutil.which(words[0], path=_path(env))
        if found is None:
            raise CannotRun(f"command not found: {words[0]}", NOT_FOUND)
        for ours in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(ours, lambda *_: None)
        try:
            made = command([found, *words[1:]], os.environ["SYSTEMROOT"])
            process = subprocess.Popen(made.line, executable=made.application, env=env, cwd=cwd)
        except OSError as error:
            raise _refusal(words[0], error) from error
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # it is the command's
                continue

    def _program(word: str, _env: dict[str, str], cwd: str) -> str | None:
        """Return the file that a word with a separator means, as seen from the folder."""
        return os.path.join(cwd, word) if "/" in word or "\\" in word else None

    def _path(env: dict[str, str]) -> str:
        return next((value for name, value in env.items() if name.upper() == "PATH"), "")

else:

    def hand_over(words: Sequence[str], env: dict[str, str], cwd: str) -> int:
        """Become the command, in that folder; never returns. Raises CannotRun."""
        import signal

        from bundlevisor.actors.process import fork_exec

        try:
            for name, value in env.items():
                fork_exec.variable(name, value)
        except ValueError as error:
            raise CannotRun(str(error), NOT_EXECUTABLE) from error
        try:
            os.chdir(cwd)
        except OSError as error:
            raise CannotRun(f"cannot go to {cwd}: {error.strerror}", NOT_EXECUTABLE) from error
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python; a command dies of them
            signal.signal(ignored, signal.SIG_DFL)
        try:
            os.execvpe(words[0], list(words), env)
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                raise CannotRun(f"cannot run {words[0]}: no #! line", NOT_EXECUTABLE) from error
            raise _refusal(words[0], error) from error
