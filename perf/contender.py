"""A runtime under measurement: how it is started, asked and ended.

Any program that takes a manifest and an app-data folder and speaks the control API is a contender.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

import msgspec

from bundlevisor.manifest.format.app_data import IPC_PORT, below
from bundlevisor.perf import client, processes, records
from bundlevisor.perf.bundles import RECORD, Bundle

MARK = "PERF_RUN"
"""Environment variable by which a run's processes are found, whoever their parent is by then."""

ATTEMPT_INTERVAL_S = 0.0002


class ContenderError(Exception):
    """A contender did not do what was measured; the message says what its stderr said last."""


class Contender(msgspec.Struct, frozen=True):
    """A name for the report, and the command with ``{manifest}`` and ``{app_data}`` in it."""

    name: str
    command: str

    def argv(self, bundle: Bundle, app_data: str) -> list[str]:
        """Split the command as a shell would and fill the places in each word."""
        words = split(self.command)
        places = {"{manifest}": bundle.manifest, "{app_data}": app_data}
        for place, value in places.items():
            words = [word.replace(place, value) for word in words]
        return words

    def version(self) -> str:
        """Return the first line that its program says to ``--version``; empty when none."""
        words = split(self.command)
        program = words[: words.index("-m") + 2] if "-m" in words else words[:1]
        return said_version([*program, "--version"])


def split(command: str, windows: bool = os.name == "nt") -> list[str]:
    """Return the words of a command as a shell has them; ValueError for an open quotation.

    On Windows a back slash is one, and only ``"`` holds blanks together.
    """
    words = shlex.shlex(command, posix=True)
    words.whitespace_split = True
    words.commenters = ""
    if windows:
        words.escape, words.quotes = "", '"'
    return list(words)


def said_version(argv: list[str]) -> str:
    """Return the first line of what a program says, within twenty seconds; empty when nothing."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.strip().splitlines() if done.returncode == 0 else []
    return lines[0][:100] if lines else ""


class Starts(Protocol):
    """What can be started on a bundle."""

    @property
    def name(self) -> str:
        """How a report calls it."""

    def argv(self, bundle: Bundle, app_data: str) -> list[str]:
        """Return the command that starts it on this bundle, with this folder for its files."""


def installed(form: str) -> Contender:
    """Return our own runtime: ``command`` (the installed one) or ``module`` (``python -m``).

    Raises FileNotFoundError when the command is not installed beside this interpreter.
    """
    places = "run --manifest {manifest} --app-data {app_data}"
    if form == "module":
        return Contender(
            "python -m bundlevisor", f"{_quoted(sys.executable)} -m bundlevisor {places}"
        )
    folder = os.path.dirname(os.path.abspath(sys.executable))
    command = shutil.which("bundlevisor", path=folder)
    if command is None:
        raise FileNotFoundError(
            f"no 'bundlevisor' in {folder}: install the package there, or name a --runtime"
        )
    return Contender("bundlevisor", f"{_quoted(command)} {places}")


def _quoted(path: str) -> str:
    return shlex.quote(path) if os.name == "posix" else f'"{path}"'


class Run:
    """One start of a contender on a bundle, with app-data of its own; a context manager.

    Leaving it ends the runtime (politely first) and whatever it left behind.
    """

    def __init__(self, contender: Starts, bundle: Bundle) -> None:
        self.contender = contender
        self.bundle = bundle
        self.mark = uuid.uuid4().hex
        self.folder = tempfile.mkdtemp(prefix="perf-run-")
        atexit.register(self._clear)  # Ctrl-C may come before it is entered, and while it is left
        self.app_data = os.path.join(self.folder, "app-data")
        os.mkdir(self.app_data)
        taken = client.connect(bundle.port) if bundle.port else None
        if taken:  # a runtime has to name another port
            taken.close()
        self.port = 0 if taken else bundle.port
        argv = contender.argv(bundle, self.app_data)
        environment = {**os.environ, MARK: self.mark}
        with open(self._stderr, "wb") as stderr:
            self.exec_ns = time.monotonic_ns()
            """Taken just before the process is made: fork and exec are part of every number."""
            try:
                self.process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    env=environment,
                )
            except OSError as error:
                self._clear()
                reason = f"cannot start {argv[0]}: {error.strerror}"
                raise ContenderError(f"{contender.name}: {reason}") from None
        self.clock_offset_s = time.time() - time.monotonic()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.terminate(timeout=10)
        except ContenderError:
            self.process.kill()
            self.process.wait()
        finally:
            self._clear()

    def _clear(self) -> None:
        processes.end_all(lambda: self.processes)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self._clear)

    @property
    def _stderr(self) -> str:
        return os.path.join(self.folder, "stderr")

    @property
    def processes(self) -> list[int]:
        """The pids of the runtime, its services, and all that they have started."""
        return processes.marked(MARK, self.mark, self.app_data)

    @property
    def record(self) -> list[records.Incarnation]:
        """What the services have written down so far."""
        return records.read(os.path.join(self.app_data, RECORD))

    @property
    def token(self) -> str:
        """The API's token, or an empty string while there is none."""
        try:
            with open(os.path.join(self.app_data, self.bundle.token), encoding="ascii") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def await_port(self, timeout: float = 30.0) -> int:
        """Try to connect every 0.2 ms until the control port accepts; return when (ns).

        The port is the bundle's until the runtime names another one in ``runtime/ipc_port``.
        """
        deadline = time.monotonic() + timeout
        attempts = 0
        while time.monotonic() < deadline:
            if self.port and (connection := client.connect(self.port)):
                when = time.monotonic_ns()
                connection.close()
                return when
            attempts += 1
            if attempts % 25 == 0 or not self.port:
                self._look_for_another_port()
                self.check_alive()
            time.sleep(ATTEMPT_INTERVAL_S)
        if not self.port and self.bundle.port:
            raise self.failure(f"another program listens on port {self.bundle.port} already")
        raise self.failure("its control port did not accept a connection in time")

    def _look_for_another_port(self) -> None:
        try:
            with open(below(self.app_data, IPC_PORT), encoding="ascii") as file:
                self.port = int(file.read() or self.port)
        except (FileNotFoundError, ValueError):
            pass

    def await_healthy(self, timeout: float = 30.0) -> int:
        """Ask ``/healthz`` every half millisecond until it answers 200; return when (ns)."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = client.ask(self.port, "/healthz")
            if answer and answer.status == 200:
                return time.monotonic_ns()
            self.check_alive()
            time.sleep(0.0005)
        raise self.failure(f"/healthz did not answer 200 on port {self.port} in time")

    def await_ready(self, timeout: float = 60.0) -> tuple[int, dict[str, object]]:
        """Ask ``/readyz?wait=`` until it says ready; return when (ns) and its details."""
        deadline = time.monotonic() + timeout
        details: object = "no answer"
        while time.monotonic() < deadline:
            asked = time.monotonic()
            answer = client.ask(self.port, "/readyz?wait=30", self.token, timeout=timeout)
            if answer:
                details = f"it answered {answer.status}: {answer.body[:200]!r}"
            if answer and answer.status == 200:
                with suppress(msgspec.DecodeError, KeyError, TypeError):
                    content = answer.json()
                    if content["ready"]:
                        return time.monotonic_ns(), content["details"]
                    details = content["details"]
            self.check_alive()
            if time.monotonic() - asked < 0.02:
                time.sleep(0.001)  # it knows no ?wait=, or cannot answer yet
        raise self.failure(f"not ready in {timeout:g} s: {details}")

    def get_up(self) -> None:
        """Wait until the API answers and every service is ready."""
        self.await_port()
        self.await_healthy()
        self.await_ready()

    def check_alive(self) -> None:
        """Raise ContenderError when the process has ended."""
        if self.process.poll() is not None:
            raise self.failure(f"it ended with {self.process.returncode}")

    def cpu_seconds(self, pids: Collection[int]) -> float:
        """Return the processor time that the processes have used so far; ContenderError if one
        has gone, with which its time has."""
        try:
            return processes.cpu_seconds(pids)
        except OSError:
            self.check_alive()
            what = "a process of it ended while it was watched: what it used is not known"
            raise self.failure(what) from None

    def failure(self, what: str) -> ContenderError:
        """Describe a failure with the errors on its stderr and its last lines."""
        with open(self._stderr, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
        worth = [*(line for line in lines[:-8] if "error" in line.lower()), *lines[-8:]]
        return ContenderError(f"{self.contender.name}: {what}\n{''.join(worth[-20:])}")

    def terminate(self, timeout: float) -> int:
        """Ask the process to stop (SIGTERM), wait for its end and return its exit code.

        Raises ContenderError when it takes longer than ``timeout`` seconds.
        """
        if self.process.poll() is None:
            if os.name == "posix":
                self.process.send_signal(signal.SIGTERM)
            else:
                client.ask(self.port, "/shutdown", self.token, "POST")
        try:
            return processes.wait_ended(self.process, timeout)
        except subprocess.TimeoutExpired:
            raise self.failure(f"asked to stop, it ran on for {timeout:g} s") from None
