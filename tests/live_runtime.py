"""A runtime that really runs: a process of its own, asked over HTTP, and always cleaned up."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bundlevisor.actors.process.table import control_group
from bundlevisor.testing.client import Answer as Reply
from bundlevisor.testing.spawned import Spawned
from tests.installed import COMMAND
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.bundle_maker import Bundle

ROOT = Path(__file__).parent.parent
KILL = signal.SIGTERM if os.name == "nt" else signal.SIGKILL  # TerminateProcess on Windows
START_S = 40.0


class Run(Spawned):
    """One run of a bundle: the kit's process, with what the suite asks of it in short words."""

    bundle: Bundle

    def __init__(self, bundle: Bundle, *flags: str, **options: Any) -> None:
        super().__init__(bundle, *flags, **options)
        self.stderr_path = self.app_data.with_name(self.app_data.name + ".stderr")
        self.listening: dict[str, Any] = {}
        self.token = ""
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def heard(self, line: bytes) -> None:
        """Keep what comes on stdout."""
        self._lines.put(line)

    @property
    def host(self) -> str:
        """Where the control API listens."""
        return str(self.listening["host"])

    @property
    def port(self) -> int:
        """Where the control API listens."""
        return int(self.listening["port"])

    def await_listening(self) -> None:
        """Read the line by which ``run`` says where it listens, and the token."""
        try:
            line = self._lines.get(timeout=START_S)
        except queue.Empty:
            line = b""
        if not line:
            ended = f"exit code {self.process.poll()}"
            raise AssertionError(f"the runtime said no 'listening' line; {ended}\n{self.stderr}")
        self.listening = json.loads(line)
        self.token = Path(self.listening["token_path"]).read_text(encoding="utf-8").strip()

    def await_files(self) -> None:
        """Wait for the port file of a run whose stdout is not ours, and read it and the token."""
        folder = self.app_data / "runtime"
        wait_until((folder / "ipc_port").exists, START_S, "the port file")
        port = (folder / "ipc_port").read_text(encoding="utf-8")
        self.listening = {"host": "127.0.0.1", "port": port}
        self.token = (folder / "auth-token").read_text(encoding="utf-8").strip()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = 90.0,
    ) -> Reply:
        """Ask the control API; ``token`` None sends none, the default is the right one."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token or self.token}")
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())

    def get(self, path: str, **options: Any) -> Reply:
        """GET a path; options as for :meth:`request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        """POST a path, with a JSON body if there is one; options as for :meth:`request`."""
        if body is None:
            return self.request("POST", path, **options)
        headers = {"Content-Type": "application/json", **(options.pop("headers", None) or {})}
        return self.request("POST", path, json.dumps(body).encode(), headers=headers, **options)

    def ready(self, wait: float = 60.0) -> dict[str, Any]:
        """Return ``/readyz`` once everything is ready or cannot be, or after ``wait`` seconds."""
        answer: dict[str, Any] = self.get(f"/readyz?wait={wait:g}").json()
        return answer

    def until_ready(self, wait: float = 60.0) -> dict[str, Any]:
        """Return ``/readyz`` with everything ready; AssertionError with the details otherwise."""
        answer = self.ready(wait)
        details = json.dumps(answer["details"], indent=1)
        assert answer["ready"], f"not ready within {wait:g} s: {details}\n{self.stderr}"
        return answer

    def until_on_record(self) -> None:
        """Wait for the record of the instance, which names bundle and overlays to other commands.

        A start waits for it, but no longer than a second.
        """
        wait_until((self.app_data / "runtime" / "instance.json").exists, what="the record")

    def until_said(self, words: str) -> None:
        """Wait for words of the runtime's on stderr, which are written beside its work."""
        wait_until(lambda: words in self.stderr, what=f"{words!r} on stderr")

    def until_service_ready(self, service_id: str) -> None:
        """Wait for one service, whatever becomes of the others."""
        wait_until(lambda: self.service(service_id)["ready"], what=f"{service_id} to be ready")

    def service(self, service_id: str) -> dict[str, Any]:
        """Return what ``/readyz`` says of one service now."""
        details: dict[str, Any] = self.get("/readyz").json()["details"][service_id]
        return details

    def ports(self, service_id: str) -> dict[str, int]:
        """Return the ports of a service, by name."""
        ports: dict[str, int] = self.get("/ports").json()["services"][service_id]
        return ports

    def record(self, service_id: str) -> list[dict[str, Any]]:
        """Return what the service's processes recorded, oldest first."""
        return self.bundle.record(service_id)

    def events(self, service_id: str, event: str) -> list[dict[str, Any]]:
        """Return the service's records of one kind."""
        return self.bundle.events(service_id, event)

    def log(self, service_id: str) -> str:
        """Return the service's log file, as far as it is written."""
        path = self.app_data / "logs" / f"{service_id}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def telemetry(self) -> list[dict[str, Any]]:
        """Return the telemetry events that are on disk; a last line may still be being written."""
        path = self.app_data / self.bundle.document["telemetry"]["file"]
        whole, _, _ = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
        return [json.loads(line) for line in whole.splitlines()]

    def await_told(self, event: str, service_id: str = "", count: int = 1) -> list[dict[str, Any]]:
        """Return what the events of a kind say, once ``count`` are on disk, which comes later.

        With ``service_id`` those of this service only.
        """

        def told() -> list[dict[str, Any]]:
            events = [one for one in self.telemetry() if one["event"] == event]
            return [one["details"] for one in events if one.get("service_id", "") == service_id]

        whose = f"{event} of {service_id}" if service_id else event
        wait_until(lambda: len(told()) >= count, what=f"{count} times {whose} in the telemetry")
        return told()

    def kill(self, number: int = KILL) -> None:
        """Send the runtime a signal, SIGKILL by default; on Windows it is always terminated."""
        self.process.send_signal(number)

    def wait_gone(self, deadline: float = 40.0) -> int:
        """Return the runtime's exit code; AssertionError when it does not end in time."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the runtime still runs after {deadline:g} s\n{self.stderr}"
            ) from None

    def leftovers(self) -> list[psutil.Process]:
        """Return every live process of this run: services, their offspring, guardian, runtime.

        A program of the suite that has cleared its environment still names its record.
        """
        return self.processes

    def is_ours(self, process: psutil.Process) -> bool:
        """Whether it is of this run, by its mark or by the record that it names."""
        return super().is_ours(process) or self._names_record(process)

    def _names_record(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            return any(word.startswith(str(self.bundle.records)) for word in process.cmdline())
        return False

    def clean_up(self) -> None:
        """Kill whatever is left; the runtime first, so that it starts nothing again."""
        group = control_group.group_of(self.pid)
        self.kill_everything()
        control_group.remove(group)  # its guardians would have done so


@contextlib.contextmanager
def running(
    bundle: Bundle,
    *flags: str,
    app_data: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    closed: Iterable[int] = (),
) -> Iterator[Run]:
    """Run the bundle with ``bundlevisor run`` in a session of its own until the block ends.

    ``closed`` are standard streams that it is started without (POSIX); stdout must not be one.
    Everything that the run started is killed at the end, whatever happened. Two runs of one bundle
    at the same time would take each other's processes for their own: make two bundles.
    """
    with starting(bundle, *flags, app_data=app_data, env=env, stdin=stdin, closed=closed) as run:
        run.await_listening()
        yield run


@contextlib.contextmanager
def starting(
    bundle: Bundle,
    *flags: str,
    app_data: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    closed: Iterable[int] = (),
    output: int | None = None,
    command: Sequence[str] = COMMAND,
) -> Iterator[Run]:
    """Run the bundle as :func:`running` does, from its first moment: nothing is up yet.

    ``output`` is a descriptor that becomes both stdout and stderr; ``command`` may be that of
    another installation.
    """
    run = Run(
        bundle,
        *flags,
        command=[*_without(closed), *command],
        app_data=app_data,
        env=env,
        stdin=stdin,
        output=output,
    )
    run.spawn()
    try:
        yield run
    finally:
        run.clean_up()


def _without(closed: Iterable[int]) -> list[str]:
    """Return the words before a command that is to find these descriptors closed."""
    redirections = " ".join(f"{fd}>&-" for fd in closed)
    return ["sh", "-c", f'exec {redirections}; exec "$@"', "sh"] if redirections else []


def bundlevisor(
    *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours to its end: ``bundlevisor("validate", "--manifest", path)``."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
