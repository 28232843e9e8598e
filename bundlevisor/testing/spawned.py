"""The command under test as a process: how it is started, what is left of it, and its end."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import uuid
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import psutil

from bundlevisor.testing import processes
from bundlevisor.testing.bundle import Bundle
from bundlevisor.testing.deadline import WITHIN
from bundlevisor.testing.thawer import Thawer

_begun = weakref.WeakSet["Spawned"]()


class Spawned:
    """``bundlevisor run`` on a bundle, with everything that comes of it.

    ``app_data`` is the bundle's unless it is told. ``stdin`` is a descriptor or one of subprocess'
    constants. ``output`` is a descriptor that becomes both stdout and stderr; without one, stderr
    goes to the file :attr:`stderr_path` and stdout to a pipe (``read_output`` False: both to pipes
    that nobody reads).
    """

    def __init__(
        self,
        bundle: Bundle,
        *flags: str,
        command: Sequence[str],
        app_data: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.PIPE,
        output: int | None = None,
        read_output: bool = True,
    ) -> None:
        self.bundle = bundle
        self.app_data = app_data or bundle.app_data
        self.mark = uuid.uuid4().hex
        self.stderr_path = self.app_data.parent / f"stderr-{self.mark[:8]}"
        self._names = (str(bundle.manifest), str(self.app_data))
        self._command = [*command, "run", "--manifest", self._names[0]]
        self._command += ["--app-data", self._names[1], *flags]
        self._env = {**os.environ, **(env or {}), processes.MARK: self.mark}
        self._stdin, self._output, self._read_output = stdin, output, read_output
        self._process: subprocess.Popen[bytes] | None = None
        self._thawer: Thawer | None = None
        self.since = 0.0
        """When the first process of it began, by :func:`processes.began`."""
        self._remembered: set[int] = set()

    def spawn(self) -> None:
        """Start the command in a session of its own and wait for nothing; RuntimeError if it was.

        One object is one run: what a second process is known by would hide the first.
        """
        if self._process is not None:
            raise RuntimeError("the runtime has been started already; make another for another run")
        self.app_data.parent.mkdir(parents=True, exist_ok=True)
        with self.stderr_path.open("ab") as stderr:
            errors = stderr if self._read_output else subprocess.PIPE
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=self._stdin,
                stdout=subprocess.PIPE if self._output is None else self._output,
                stderr=errors if self._output is None else self._output,
                start_new_session=os.name == "posix",
            )
        self.since = processes.began(self.pid)
        _begun.add(self)
        if self._read_output and self._process.stdout:
            threading.Thread(target=self._drain, args=[self._process.stdout], daemon=True).start()

    def heard(self, line: bytes) -> None:
        """Take note of a line of stdout; called in a thread of its own."""

    def _drain(self, stdout: BinaryIO) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed under our hands at the end
            for line in stdout:
                self.heard(line)
        self.heard(b"")

    def freeze(self) -> None:
        """SIGSTOP it (POSIX: suspended; Windows: all threads suspended), until it stands still.

        It goes on when the suite is killed meanwhile, and ends as one without its shell.
        """
        self._thawer = self._thawer or Thawer(self.pid)
        processes.suspend(psutil.Process(self.pid))

    def thaw(self) -> None:
        """Let it go on."""
        psutil.Process(self.pid).resume()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The command's; RuntimeError before it has been started."""
        if self._process is None:
            raise RuntimeError("the runtime has not been started")
        return self._process

    @property
    def has_begun(self) -> bool:
        """Whether the command has become a process."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Of the runtime."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """Of the runtime, once it has ended; negative: ended by that signal."""
        return self.process.poll()

    @property
    def stderr(self) -> str:
        """What it has told people; empty where nobody reads it."""
        path = self.stderr_path
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def processes(self) -> list[psutil.Process]:
        """Every live process of this run: runtime, guardians, services and what they started."""
        return processes.of_run(self.is_ours, self.since, self._remembered)

    @property
    def pids_beside(self) -> set[int]:
        """Of all processes of the bundle's other runs that go on."""
        others = [run for run in _begun if run.bundle is self.bundle and run is not self]
        going = [run for run in others if run.exit_code is None]
        return {process.pid for run in going for process in run.processes}

    def is_ours(self, process: psutil.Process) -> bool:
        """Whether a process that began with the run or later is of it."""
        return processes.is_of_run(process, self.mark, self._names)

    def remember(self, pid: int) -> None:
        """Count a process for the laws that the mark does not find (it cleared its environment)."""
        self._remembered.add(pid)

    def kill_everything(self) -> None:
        """Kill whatever is left, the runtime first, so that it starts nothing again.

        Raises TimeoutExpired, or NotWithin, when something cannot be killed.
        """
        if self._process is None:
            return
        if self._thawer:
            self._thawer.end()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(WITHIN)
        processes.kill_all(lambda: self.processes)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def installed() -> list[str]:
    """Return the words of the command under test; raises FileNotFoundError where there is none."""
    named = os.environ.get("BUNDLEVISOR")
    if named:
        return [named]
    beside = shutil.which("bundlevisor", path=os.path.dirname(sys.executable))
    found = beside or shutil.which("bundlevisor")
    if not found:
        raise FileNotFoundError(
            "no 'bundlevisor' beside Python or on PATH; BUNDLEVISOR may name it"
        )
    return [found]
