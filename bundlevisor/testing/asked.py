"""A run that is asked: its control API, with the port and the token that it has written."""

from __future__ import annotations

import contextlib
import http.client
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bundlevisor.manifest.format.app_data import IPC_PORT, PORTS
from bundlevisor.testing import client
from bundlevisor.testing.deadline import NotWithin, time_left, wait_until
from bundlevisor.testing.held import Given
from bundlevisor.testing.plain_file import read_plain
from bundlevisor.testing.spawned import Spawned


class Asked(Spawned):
    """``bundlevisor run`` as a process, and its control API."""

    _former_port_file: tuple[int, int] | None = None
    _told_ports: Given | None = None

    def spawn(self) -> None:
        """Start the command, as :meth:`Spawned.spawn`; another run of the folder is left alone."""
        former = self._port_file_seen()
        super().spawn()
        self._former_port_file = former
        self._told_ports = None

    @property
    def _port_file(self) -> Path:
        return self.app_data / IPC_PORT

    def _port_file_seen(self) -> tuple[int, int] | None:
        """What tells the port file from one of another run; None without one."""
        try:
            found = self._port_file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    @property
    def has_port(self) -> bool:
        """Whether it has written where it listens; what an earlier run has left does not count."""
        return self._port_file_seen() not in (None, self._former_port_file)

    @property
    def port(self) -> int:
        """Of the control API; FileNotFoundError until it is written, whatever another run has."""
        if not self.has_port:
            raise FileNotFoundError(f"this run has not written {self._port_file}")
        return int(self._port_file.read_text(encoding="ascii"))

    @property
    def token(self) -> str:
        """For the control API."""
        path = self.app_data / str(self.bundle.document["ipc"]["auth_token_path"])
        return read_plain(path).decode("ascii").strip()

    def request(self, method: str, path: str, body: object = None, **options: Any) -> client.Answer:
        """Ask the control API with the token; see :func:`bundlevisor.testing.client.request`."""
        try:
            headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
            return client.request(self.port, method, path, body, headers=headers, **options)
        except (OSError, http.client.HTTPException) as error:
            if self.exit_code is not None:
                error.add_note(f"the runtime has ended with {self.exit_code}")
            raise

    def get(self, path: str, **options: Any) -> client.Answer:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> client.Answer:
        """POST, with ``body`` as JSON."""
        return self.request("POST", path, body, **options)

    def _state(self, name: str) -> Any:
        try:
            return json.loads(read_plain(self.app_data / name))
        except (OSError, ValueError):
            return None

    def _given_ports(self) -> Given:
        """Return what it tells while it runs, and has written down then.

        It writes beside its services' starts: of one that was killed the last answer may be newer.
        """
        found = self._state(PORTS)
        written: Given = found if isinstance(found, dict) else {}
        if self._process is None or self.exit_code is not None:
            return (self._told_ports or {}) | written
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, LookupError):
            self._told_ports = self.get("/ports", timeout=2.0).json()["services"]
        return written | (self._told_ports or {})

    def _ask_to_stop(self, within: float) -> bool:
        """Whether it runs, and says that it will stop; it is asked until it answers, or has ended.

        Its token is gone for a moment where app-data was removed.
        """
        left, answers = time_left(within), list[int]()

        def is_over() -> bool:
            if self.exit_code is None:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    answers.append(self.post("/shutdown", timeout=left()).status)
            return bool(answers) or self.exit_code is not None

        with contextlib.suppress(NotWithin):
            wait_until(is_over, within=within)
        return answers == [HTTPStatus.ACCEPTED]
