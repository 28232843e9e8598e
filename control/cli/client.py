"""The control API from outside: one request at a time to a running instance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from bundlevisor.actors.probes.closed_port import TOLD_LATE, refuses
from bundlevisor.control.cli.find import HungUp, NotRunning
from bundlevisor.control.wire.exchange import EVERY_ANSWER

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

    from bundlevisor.control.cli.find import Endpoint

Query = dict[str, float | str | None]
TIMEOUT_S = 10.0
LOOK_EVERY_S = 2.0
"""Seconds without an answer after which it is looked whether the process is suspended."""


class NoAnswer(Exception):
    """The instance did not answer, or not to us; the message is a sentence."""


class Unsettled(NoAnswer):
    """Nobody listens for the instance, or another one does; where one is starting this passes."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the answer is not a refusal."""
        return self.status < 400

    def json(self) -> Any:
        """Return the decoded body, ``{}`` for one that is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return {}

    @property
    def sentence(self) -> str:
        """What a refusal says."""
        document = self.json()
        said = document.get("error") if isinstance(document, dict) else None
        return said if isinstance(said, str) else f"the runtime answered {self.status}"


class Client:
    """Asks one instance. Every method raises NotRunning and NoAnswer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._is_known = False
        """Whether a runtime is there: to another program no token is sent."""

    def get(self, path: str, *, takes: float = 0.0, **query: float | str | None) -> Answer:
        """Ask for ``path``; a ``wait`` among the parameters is added to the time-out.

        So is ``takes``: the seconds that the work may take.
        """
        return self._ask("GET", path, query, None, takes)

    def post(
        self,
        path: str,
        document: object = None,
        *,
        takes: float = 0.0,
        **query: float | str | None,
    ) -> Answer:
        """Send a command; ``takes`` and ``wait`` as of :meth:`get`."""
        body = None if document is None else msgspec.json.encode(document)
        return self._ask("POST", path, query, body, takes)

    @contextmanager
    def stream(self, path: str, **query: float | str | None) -> Iterator[HTTPResponse]:
        """Open an answer without an end, to be read with :func:`chunks`."""
        with self._connection(TIMEOUT_S) as connection:
            yield self._request(connection, "GET", address(path, query), None, endless=True)

    def farewell(self) -> str:
        """Return how the instance has ended, which has hung up."""
        from bundlevisor.control.cli.last_words import farewell

        return farewell(self.endpoint.app_data, self.endpoint.pid)

    def _ask(
        self, method: str, path: str, query: Query, body: bytes | None, takes: float
    ) -> Answer:
        wait = float(query.get("wait") or 0) + takes
        with self._connection(wait + TIMEOUT_S) as connection:
            response = self._request(connection, method, address(path, query), body)
            return Answer(response.status, self._whole(response))

    def _whole(self, response: HTTPResponse) -> bytes:
        import http.client

        try:
            return response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error) from error

    @contextmanager
    def _connection(self, timeout: float) -> Iterator[HTTPConnection]:
        import http.client

        connection = http.client.HTTPConnection(
            self.endpoint.host, self.endpoint.port, timeout=timeout
        )
        try:
            yield connection
        finally:
            connection.close()

    def _request(
        self,
        connection: HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        *,
        endless: bool = False,
    ) -> HTTPResponse:
        headers = {"Authorization": f"Bearer {self.endpoint.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._make_sure(connection)
        response = self._exchange(connection, method, target, body, headers, endless=endless)
        if response.status == 401:
            raise Unsettled(
                f"{self._place()} refused the token in {self.endpoint.token_path};"
                " is another program on that port?"
            )
        return response

    def _make_sure(self, connection: HTTPConnection) -> None:
        """Where the process on record is not to be seen, ask without the token who is there.

        It may be dead, and its port another program's by now; or in another pid namespace.
        """
        if not self._is_known:
            from bundlevisor.actors.process import table

            pid, created = self.endpoint.pid, self.endpoint.created
            if pid is None or not table.alive(pid, created):
                if TOLD_LATE and refuses(self.endpoint.host, self.endpoint.port):
                    raise self._refused()
                self._whole(self._exchange(connection, "GET", "/healthz", None, {}))
                connection.close()  # who relays may take one request for each
            self._is_known = True

    def _exchange(
        self,
        connection: HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
        *,
        endless: bool = False,
    ) -> HTTPResponse:
        """Return what a runtime answers."""
        import http.client

        try:
            connection.request(method, target, body, headers)
            self._await_answer(connection)
            if endless and connection.sock is not None:  # the response takes it away, as it is
                connection.sock.settimeout(None)
            response = connection.getresponse()
        except ConnectionRefusedError:
            raise self._refused() from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._silence(error) from error
        if any(response.headers[name] != value for name, value in EVERY_ANSWER.items()):
            raise Unsettled(
                f"another program answers at {self.endpoint.host}:{self.endpoint.port}, no runtime"
            )
        return response

    def _await_answer(self, connection: HTTPConnection) -> None:
        """Wait until an answer begins, within the connection's time-out; NoAnswer for none."""
        from select import select

        left = connection.timeout or TIMEOUT_S
        deadline = monotonic() + left
        while not select((connection.sock,), (), (), min(LOOK_EVERY_S, left))[0]:
            self._look_whether_suspended()
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError

    def _look_whether_suspended(self) -> None:
        from bundlevisor.control.cli.last_words import is_suspended

        if is_suspended(self.endpoint.pid):
            do = f"continue it in its terminal (fg), or by: kill -CONT {self.endpoint.pid}"
            raise NoAnswer(f"{self._place()} is suspended (Ctrl-Z or SIGSTOP): {do}")

    def _refused(self) -> Exception:
        from bundlevisor.actors.process import table

        pid, created = self.endpoint.pid, self.endpoint.created
        if pid is not None and table.may_be_alive(pid, created):
            return Unsettled(f"{self._place()} takes no connections; is it stopping?")
        from bundlevisor.control.cli.last_words import word_of_end

        said = word_of_end(self.endpoint.app_data)
        return NotRunning(
            f"no runtime runs on {self.endpoint.app_data}: nobody listens on port"
            f" {self.endpoint.port} any more{said and '; '}{said}"
        )

    def _silence(self, error: Exception) -> Exception:
        from bundlevisor.control.cli.last_words import goes

        if not isinstance(error, TimeoutError) and goes(self.endpoint.pid):
            return HungUp(self.farewell())
        why = "in time" if isinstance(error, TimeoutError) else f"({error or type(error).__name__})"
        return NoAnswer(f"{self._place()} did not answer {why}")

    def _place(self) -> str:
        endpoint = self.endpoint
        who = f" (pid {endpoint.pid})" if endpoint.pid is not None else ""
        return f"the runtime at {endpoint.host}:{endpoint.port}{who}"


def chunks(response: HTTPResponse) -> Iterator[bytes]:
    """Yield what a stream brings until it ends; raises NoAnswer when it breaks off."""
    import http.client

    while True:
        try:
            data = response.read1(1 << 16)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"the stream broke off ({error or type(error).__name__})") from error
        if not data:
            return
        yield data


def address(path: str, query: Query) -> str:
    """Return a request target; parameters that are None are left out.

    A word that is no UTF-8 is sent as the bytes that were typed.
    """
    given = {name: value for name, value in query.items() if value is not None}
    words = urlencode(given, errors="surrogateescape")
    return quote(path, errors="surrogateescape") + (f"?{words}" if given else "")
