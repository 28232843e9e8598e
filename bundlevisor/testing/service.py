"""One service of a run: what it is doing, and ways to break it."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import psutil

from bundlevisor.actors.core.snapshot import State
from bundlevisor.actors.files.own_file import open_to_read
from bundlevisor.actors.logs.path import log_path
from bundlevisor.manifest.format import schema
from bundlevisor.testing import client, processes, program
from bundlevisor.testing.deadline import WITHIN, NotWithin, time_left
from bundlevisor.testing.words import check_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundlevisor.testing.bundle import Bundle

T = TypeVar("T")
STATES = tuple(state.value for state in State)


class Run(Protocol):
    """The runtime that runs it, as far as a service needs it."""

    app_data: Path
    bundle: Bundle

    def get(self, path: str, **options: Any) -> client.Answer:
        """GET from the control API."""

    def post(self, path: str, **options: Any) -> client.Answer:
        """POST to the control API."""

    def story(self) -> str:
        """What happened."""

    def wait(self, condition: Callable[[], T | None], what: str, within: float) -> T:
        """Return the first truthy value; NotWithin after so many seconds."""


class Service:
    """A service, asked anew each time. From :meth:`order` on it has to be the kit's program.

    Where the runtime does not answer in time, what asks it raises NotWithin with the story.
    """

    def __init__(self, runtime: Run, id_: str) -> None:
        self._runtime = runtime
        self.id = id_

    @property
    def details(self) -> dict[str, Any]:
        """What ``/readyz`` says of it; raises ValueError when the bundle has no such service."""
        with self._answered("what its services are doing", WITHIN):
            details: dict[str, Any] = self._services(timeout=WITHIN)[self.id]
        return details

    @contextlib.contextmanager
    def _answered(self, what: str, within: float) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            story = self._runtime.story()
            raise NotWithin(f"not within {within:g} s: the runtime says {what}\n{story}") from error

    def _services(self, **options: Any) -> dict[str, Any]:
        services: dict[str, Any] = self._runtime.get("/readyz", **options).json()["details"]
        check_word("service", self.id, services)
        return services

    @property
    def state(self) -> str:
        """Its state: ``waiting``, ``starting``, ``ready``, …."""
        return str(self.details["state"])

    @property
    def pid(self) -> int:
        """Of its leader; raises AssertionError when it does not run."""
        pid = self.details.get("pid")
        assert pid, f"{self.id} does not run: {self.details}"
        return int(pid)

    @property
    def process(self) -> psutil.Process:
        """Its leader."""
        return psutil.Process(self.pid)

    @property
    def restarts(self) -> int:
        """How often it has been restarted."""
        return int(self.details["restarts"])

    @property
    def ports(self) -> dict[str, int]:
        """Its ports, by name."""
        services: dict[str, dict[str, int]]
        with self._answered("which ports there are", WITHIN):
            services = self._runtime.get("/ports", timeout=WITHIN).json()["services"]
        if self.id not in services:
            self.check()
        return services.get(self.id, {})

    @property
    def log(self) -> str:
        """What its log holds, as far as it is written; also once the runtime has ended.

        Raises ValueError when there is none, nor a service of this id.
        """
        of_bundle = {one["id"]: one for one in self._runtime.bundle.document["services"]}
        path = self._log_path(of_bundle.get(self.id, {}).get("log_dir") or "")
        if path.exists():
            with open(open_to_read(str(path)), encoding="utf-8", errors="replace") as file:
                return file.read()
        self.check()
        return ""

    def check(self) -> None:
        """Raise ValueError when the bundle has no service of this id."""
        of_bundle = [one["id"] for one in self._runtime.bundle.document["services"]]
        if self.id not in of_bundle:
            try:
                self._services(timeout=WITHIN)  # an overlay may have brought it
            except (OSError, http.client.HTTPException):
                check_word("service", self.id, of_bundle)

    def _log_path(self, log_dir: str) -> Path:
        written = schema.Service(id=self.id, log_dir=log_dir)
        return Path(log_path(written, str(self._runtime.app_data)))

    def wait_state(self, state: str, *others: str, within: float = WITHIN) -> dict[str, Any]:
        """Return its details once it is in one of these states."""
        states = (state, *others)
        for one in states:
            check_word("state", one, STATES)

        left = time_left(within)

        def there() -> dict[str, Any] | None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                details: dict[str, Any] = self._services(timeout=left())[self.id]
                return details if details["state"] in states else None
            return None

        return self._runtime.wait(there, f"{self.id} to be {' or '.join(states)}", within)

    def start(self, wait: float = WITHIN) -> dict[str, Any]:
        """Command it; ``wait`` seconds for the outcome. AssertionError when it is refused."""
        return self._command("start", wait)

    def stop(self, wait: float = WITHIN) -> dict[str, Any]:
        """Command it, as :meth:`start`."""
        return self._command("stop", wait)

    def restart(self, wait: float = WITHIN) -> dict[str, Any]:
        """Command it, as :meth:`start`."""
        return self._command("restart", wait)

    def _command(self, action: str, wait: float) -> dict[str, Any]:
        within = wait + WITHIN
        with self._answered(f"what came of '{action} {self.id}'", within):
            path = f"/services/{self.id}/{action}?wait={wait:g}"
            answer = self._runtime.post(path, timeout=within)
        if answer.status == 404:
            self.check()
        assert answer.status == 202, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome

    def kill(self) -> None:
        """SIGKILL its leader (Windows: TerminateProcess)."""
        self.process.kill()

    def freeze(self) -> None:
        """Have its leader stand still."""
        processes.suspend(self.process)

    def thaw(self) -> None:
        """Let its leader go on."""
        self.process.resume()

    def order(self, what: str, value: object = None) -> Any:
        """Tell the kit's program to misbehave; :mod:`bundlevisor.testing.program` lists how.

        It is asked on its port ``http``, or on its first one where none has that name.
        """
        ports = self.ports
        assert ports, f"{self.id} has no port to be told at"
        port = ports.get("http") or next(iter(ports.values()))
        try:
            answer = client.request(port, "POST", f"/kit/{what}", value, timeout=client.TIMEOUT)
        except (ConnectionRefusedError, TimeoutError) as error:
            does = "answer" if isinstance(error, TimeoutError) else "listen there"
            error.add_note(f"{self.id} does not {does}\n{self._runtime.story()}")
            raise
        assert answer.status == 200, answer.text
        return answer.json()["result"]

    def exit(self, code: int) -> None:
        """Have it end with a code, at once."""
        with contextlib.suppress(ConnectionResetError, ConnectionAbortedError):
            self.order("exit", code)  # it ends instead of answering

    def health(self, how: str | float) -> None:
        """``ok``, ``failing``, ``wrong``, ``hanging``, or seconds that each answer takes."""
        if isinstance(how, str):
            check_word("answer", how, program.ANSWERS)
        self.order("health", how)

    def flood(self, count: int) -> None:
        """Have it write so many bytes to its output."""
        self.order("flood", count)

    def grow(self, mib: int) -> None:
        """Have it take so many MiB of memory and keep them."""
        self.order("grow", mib)

    def child(self, *, daemon: bool = False) -> psutil.Process:
        """Have it start a process; ``daemon``: of a session of its own, with closed output."""
        return psutil.Process(self.order("child", "daemon" if daemon else "child"))
