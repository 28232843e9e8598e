"""The runtime under test: the installed command, never a stand-in."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil

from bundlevisor.actors.telemetry.catalogue import EVENTS
from bundlevisor.manifest.format.app_data import INSTANCE
from bundlevisor.testing import events, held, processes, story
from bundlevisor.testing.asked import Asked
from bundlevisor.testing.bundle import Bundle
from bundlevisor.testing.deadline import WITHIN, time_left, wait_until
from bundlevisor.testing.events import Event
from bundlevisor.testing.service import Service
from bundlevisor.testing.spawned import installed
from bundlevisor.testing.words import check_list, check_word

T = TypeVar("T")
KILLED = -9
"""The exit code of what somebody has killed (POSIX): that is not how the runtime ended."""


class Runtime(Asked):
    """One run of a bundle: ``with Runtime(bundle) as runtime: …``.

    ``command`` are the words that stand for ``bundlevisor``: the one of the environment variable
    BUNDLEVISOR, else the one beside this interpreter, else the one on PATH. ``flags`` follow
    ``run``. ``read_output`` False leaves stdout and stderr as pipes that nobody reads, as many
    shells do; ``output`` is a descriptor that becomes both (a terminal, a full pipe). ``wrapper``
    are words before the command (``faults.limited``, or ``["strace", "-f", …]``): what does not
    become the command itself has the :attr:`pid` and gets :meth:`kill`. ``app_data`` is another
    folder than the bundle's, ``stdin`` a descriptor or one of subprocess' constants in place of a
    pipe.
    At the end of the block it is stopped in order, its exit code is looked at, whatever is left is
    killed, and the two laws are checked unless the block raised: no process left, no port held.
    """

    def __init__(
        self,
        bundle: Bundle,
        *flags: str,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        read_output: bool = True,
        output: int | None = None,
        wrapper: Sequence[str] = (),
        app_data: Path | None = None,
        stdin: int = subprocess.PIPE,
    ) -> None:
        check_list("wrapper", wrapper)
        check_list("command", command or ())
        super().__init__(
            bundle,
            *flags,
            command=[*wrapper, *(command or installed())],
            app_data=app_data,
            env=env,
            stdin=stdin,
            output=output,
            read_output=read_output,
        )
        self._former_seq = 0
        self._signalled = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.stop_in_order()
                self.assert_nothing_left()
        finally:
            self.kill_everything()

    # Its life

    def start(self) -> None:
        """:meth:`spawn` it and wait until the control port is known.

        Raises NotWithin when it is not, and AssertionError when the command has ended, with what
        it said; nothing of it is left then.
        """
        self.spawn()
        try:
            self.wait(lambda: self.has_port or self.exit_code is not None, "its port")
            if self.exit_code is not None:
                raise AssertionError(f"the runtime ended with {self.exit_code}\n{self.stderr}")
        except BaseException:
            self.kill_everything()
            raise

    def spawn(self) -> None:
        """Write the bundle, start the command and wait for nothing: for a start that is refused."""
        self.bundle.write()
        seq = events.newest(self.events)
        super().spawn()
        self._former_seq = seq

    def stop(self, within: float = WITHIN) -> int:
        """Ask for an orderly stop, if it runs, and return the exit code."""
        self._ask_to_stop(within)
        return self.wait_ended(within)

    def stop_in_order(self) -> None:
        """:meth:`stop` it; AssertionError when it said that it would, and ended with another code.

        One that was killed, or has ended before, has nothing to say.
        """
        asked = self._ask_to_stop(WITHIN)
        code = self.wait_ended()
        if asked and code not in (0, KILLED) and not self._signalled:
            raise AssertionError(
                f"the runtime was asked to stop, and ended with {code}\n{self.story()}"
            )

    def terminate(self) -> None:
        """Send SIGTERM (on Windows: end it)."""
        self._signalled = True
        self.process.terminate()

    def kill(self) -> None:
        """SIGKILL: the guardian has to clean up."""
        self._signalled = True
        self.process.kill()

    def close_stdin(self) -> None:
        """End its standard input, as the death of a shell does."""
        stdin = self.process.stdin
        if stdin is not None:
            stdin.close()

    @property
    def guardian(self) -> psutil.Process:
        """The process that cleans up when the runtime dies; ``.kill()``, ``.suspend()`` it."""
        return self.wait(self._guardian, "a guardian")

    def _guardian(self) -> psutil.Process | None:
        record = self._state(INSTANCE)
        pid = record.get("guardian_pid") if isinstance(record, dict) else None
        with contextlib.suppress(psutil.Error):
            return psutil.Process(pid) if pid else None
        return None

    # What it says

    def service(self, id_: str) -> Service:
        """Return a service, to look at and to break."""
        return Service(self, id_)

    @property
    def events(self) -> list[Event]:
        """The telemetry events that are on disk, of this run and earlier ones, as they are there.

        That is ``{"event": …, "seq": …, "service_id": …, "details": {…}}``.
        """
        try:
            path = self.app_data / self.bundle.document["telemetry"]["file"]
        except (KeyError, TypeError):  # of a bundle that is refused
            return []
        return events.read_events(path)

    @property
    def seq(self) -> int:
        """The number of the newest event, for ``after=``; 0 without any.

        Of a run it is told once all that has happened is on disk, which takes some 50 ms.
        """
        if self._process is None or self.exit_code is not None:
            return events.newest(self.events)
        ready = {}
        with contextlib.suppress(OSError, http.client.HTTPException):
            details = self.get("/readyz", timeout=2.0).json()["details"]
            ready = {
                i: d["pid"] for i, d in details.items() if d["state"] == "ready" and d.get("pid")
            }
        return events.settled(lambda: self.events, ready)

    def story(self) -> str:
        """Return what happened: events, states, its last words, the ends of the logs."""
        states = ""
        if self._process is not None and self.exit_code is None:
            try:
                details = self.get("/readyz", timeout=2.0).json()["details"]
                states = "\n".join(f"{i}: {d['state']}: {d['message']}" for i, d in details.items())
            except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as no:
                states = f"the runtime does not answer: {type(no).__name__}: {no}"
        elif self._process is not None:
            states = f"the runtime has ended with {self.exit_code}"
        logs = {}
        for id_ in (entry["id"] for entry in self.bundle.document["services"]):
            with contextlib.suppress(OSError, AttributeError, TypeError, ValueError):
                logs[id_] = self.service(id_).log  # of a bundle that is refused it may be nowhere
        return story.told(self.events, states, self.stderr, logs)

    # Waiting

    def wait(self, condition: Callable[[], T | None], what: str, within: float = WITHIN) -> T:
        """Return the first truthy value; NotWithin with the story after ``within`` seconds.

        What the condition raises ends the wait (``service.pid`` while none runs, for instance).
        RuntimeError before the start.
        """
        self.process.poll()
        value = wait_until(condition, what, within=within, story=self.story)
        assert value is not None
        return value

    def wait_ready(self, within: float = WITHIN) -> dict[str, Any]:
        """Return the details of ``/readyz`` once every service is ready."""
        left = time_left(within)

        def ready() -> dict[str, Any] | None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self.get("/readyz?wait=1", timeout=left()).json()
                return dict(answer["details"]) if answer.get("ready") else None
            return None

        details = self.wait(ready, "every service to be ready", within)
        self._given_ports()
        return details

    def wait_event(
        self,
        event: str,
        service: str | None = None,
        *,
        after: int | None = None,
        within: float = WITHIN,
    ) -> Event:
        """Return the first such event with a number above ``after`` (see :attr:`seq`).

        Without ``after`` it is the first one of this run. Raises ValueError for an event or a
        service that does not exist; docs/events.md has all events.
        """
        check_word("event", event, EVENTS)
        number = self._former_seq if after is None else after

        def found() -> Event | None:
            return events.first(self.events, event, service, number)

        if service is not None and not found():
            self.service(service).check()
        return self.wait(found, f"event {event}" + f" of {service}" * bool(service), within)

    def wait_ended(self, within: float = WITHIN) -> int:
        """Return the runtime's exit code once it has ended."""
        self.wait(lambda: self.exit_code is not None, "the end of the runtime", within)
        return int(self.process.returncode)

    # The laws

    def assert_nothing_left(self, within: float = WITHIN) -> None:
        """The two laws, once the runtime has ended: no process is left, no port is held."""
        wait_until(
            lambda: not self.processes,
            "no process left",
            within=within,
            story=lambda: f"{processes.described(self.processes)}\n{self.story()}",
        )
        wait_until(
            lambda: not self.held_ports(), "no port held", within=within, story=self._holders
        )

    def held_ports(self) -> list[int]:
        """Return the ports that somebody listens on, the test itself and other runs of the bundle
        that go on aside: of the bundle's own range, and those that its services were given."""
        return sorted(self._held())

    def _held(self) -> dict[int, int | None]:
        found = held.listeners(self._own_ports)
        theirs = self.pids_beside if found else ()
        return {port: pid for port, pid in found.items() if pid not in theirs}

    @property
    def _own_ports(self) -> set[int]:
        return held.own_ports(self.bundle.document, self._given_ports())

    def _holders(self) -> str:
        return f"{held.described(self._held())}\n{self.story()}"
