"""The control API of the folder's runtime, and what its services answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from typing import Any

from exercising.place import Place
from exercising.verdict import DEADLINE, Wrong, expect, until


class Api:
    """The control API of the running instance."""

    def __init__(self, place: Place) -> None:
        self.port = int(_wait_for_file(place, "app data", "runtime", "ipc_port"))
        self._token = _wait_for_file(place, "app data", "runtime", "auth-token")

    def get(
        self, path: str, *, bearer: bool = True, accept: str = "application/json"
    ) -> tuple[int, bytes]:
        """GET a path."""
        return self._ask("GET", path, bearer, {"Accept": accept}, None)

    def post(self, path: str, document: object) -> tuple[int, bytes]:
        """POST JSON."""
        body = b"{wrong" if document is None else json.dumps(document).encode()
        return self._ask("POST", path, True, {"Content-Type": "application/json"}, body)

    def json(self, path: str) -> Any:
        """GET JSON."""
        return json.loads(self.get(path)[1])

    def stream(self, path: str, accept: str, wanted: bytes) -> None:
        """Read a stream until something stands in it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            expect(200, path, (answer.status, b""))
            read = b""
            while wanted not in read:
                more = answer.read1(2000)
                if not more:
                    raise Wrong(f"{path} has ended without {wanted!r}")
                read += more

    def states(self, *but: str) -> set[str]:
        """Return the states of the services that are not skipped, but some."""
        details = self.json("/readyz")["details"]
        return {
            one["state"]
            for id_, one in details.items()
            if id_ not in but and not one.get("skipped")
        }

    def children(self) -> set[int]:
        """Return the runtime's children; none where there is no /proc to tell."""
        pid = self.json("/status")["pid"]
        found = set()
        for task in os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else ():
            with (
                contextlib.suppress(FileNotFoundError, ProcessLookupError),  # a thread that ended
                open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file,
            ):
                found |= {int(word) for word in file.read().split()}
        return found

    def guardians(self) -> set[int]:
        """Return the children that are no services, and alive."""
        details = self.json("/readyz")["details"].values()
        theirs = {one.get("pid") for one in details}
        return {pid for pid in self.children() - theirs if alive(pid)}

    def _ask(
        self, method: str, path: str, bearer: bool, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        if bearer:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


def fetch(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """GET from a service."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def _wait_for_file(place: Place, *parts: str) -> str:
    path = place.outside(*parts)
    until(f"{parts[-1]} is written", lambda: os.path.exists(path) and os.path.getsize(path) > 0)
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def alive(pid: int) -> bool:
    """Whether a process runs; False where there is no /proc to tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
