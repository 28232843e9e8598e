"""One way to bring a runtime into a state, whether it is in memory or the installed command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from bundlevisor.actors.core.snapshot import Phase, State
from bundlevisor.testing import Runtime
from tests.control.fake_runtime import FakeRuntime
from tests.control.installed_bundle import installed_bundle
from tests.control.wire import Api
from tests.installed import COMMAND


class DrivenRuntime(Protocol):
    """A bundle of ``db``, ``web.api-1`` that needs it, and ``extra``; everything is ready."""

    api: Api

    def say(self, line: str) -> None:
        """Have ``db`` write a line."""

    def happen(self) -> None:
        """Have something happen that is an event."""

    def stop_db(self) -> None:
        """Have ``db`` stopped by a command."""

    def begin_db(self) -> None:
        """Have ``db`` be starting, until :meth:`finish_db`."""

    def finish_db(self) -> None:
        """Have everything be ready."""

    def begin_the_end(self) -> None:
        """Have the bundle be stopping, and not be done with it."""


class InMemory:
    """States are written into the picture."""

    def __init__(self, runtime: FakeRuntime, api: Api) -> None:
        self._runtime, self.api = runtime, api

    def say(self, line: str) -> None:
        logs, data = self._runtime.logs, f"{line}\n".encode()
        logs.content["db"] = logs.content.get("db", b"") + data
        for subscription in logs.subscriptions:
            subscription.queue.put(data)

    def happen(self) -> None:
        self._runtime.events.emit("tick")

    def stop_db(self) -> None:
        self._runtime.change("db", State.STOPPED, message="stopped by command", kept_down=True)
        blocked = {"blocked": True, "waiting_for": ("db",), "message": "blocked: db is stopped"}
        self._runtime.change("web.api-1", State.WAITING, ready_at=None, **blocked)

    def begin_db(self) -> None:
        self._runtime.change("db", State.STARTING, message="starting", ready_at=None)
        waits = {"waiting_for": ("db",), "message": "waiting for db"}
        self._runtime.change("web.api-1", State.WAITING, ready_at=None, **waits)

    def finish_db(self) -> None:
        for id_ in ("db", "web.api-1"):
            self._runtime.change(id_, State.READY, message="ready", waiting_for=())

    def begin_the_end(self) -> None:
        self._runtime.set_phase(Phase.STOPPING)


class Installed:
    """States are what the services and commands bring about."""

    def __init__(self, runtime: Runtime, api: Api) -> None:
        self._runtime, self.api = runtime, api
        self._hold = runtime.bundle.folder / "hold"

    @property
    def _db(self) -> str:
        return str(self._runtime.service("db").state)

    def say(self, line: str) -> None:
        self._runtime.service("db").order("say", line)

    def happen(self) -> None:
        self._runtime.service("extra").restart()

    def stop_db(self) -> None:
        assert self._runtime.service("db").stop()["done"]

    def begin_db(self) -> None:
        self._hold.touch()
        self.stop_db()  # what needs it ends as well, as a restart would not have it
        self._runtime.post("/services/db/start")
        self._runtime.service("db").wait_state("starting")
        self._runtime.service("web.api-1").wait_state("waiting")

    def finish_db(self) -> None:
        self._hold.unlink()
        self._runtime.wait_ready()

    def begin_the_end(self) -> None:
        if sys.platform == "win32":
            pytest.skip("the kit's program is deaf to SIGTERM, which is POSIX'")
        self._runtime.service("db").order("deaf", True)
        self._runtime.post("/shutdown")
        self._runtime.service("web.api-1").wait_state("stopped")

    def settle(self) -> None:
        """Have everything be ready again, whatever a test has left."""
        while self.api.opened:
            self.api.opened.pop().close()
        self._hold.unlink(missing_ok=True)
        if self._db == "stopped":
            self._runtime.post("/services/db/start")
        self._runtime.wait_ready()

    def close(self) -> None:
        """Let the end be reached: what is deaf is killed."""
        if self._db == "stopping":
            self._runtime.service("db").kill()


def driven_installed(folder: Path) -> Iterator[Installed]:
    """Run the installed command; its ``db`` begins to listen when nothing holds it."""
    bundle = installed_bundle(folder, hold=folder / "hold")
    with Runtime(bundle, command=COMMAND) as runtime:
        runtime.wait_ready()
        driven = Installed(runtime, Api(runtime.port, runtime.token))
        yield driven
        driven.close()
