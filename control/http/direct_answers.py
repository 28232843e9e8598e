"""Answers, without Falcon, to the requests that an application makes all the time or in every run.

The same resource answers in both ways. Without Falcon an answer costs neither its 4 MiB and 40 ms
of processor time nor, where nothing is measured or waited for, a thread: the server's loop has the
answer before another thread could be told of the question. Which secrets there are is asked by a
shell in every start, and the request to end is its last. Other methods, and queries that need
decoding, are left to Falcon.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bundlevisor.control.api import error_answers
from bundlevisor.control.api.ports import PortsResource
from bundlevisor.control.api.ready import ReadyResource
from bundlevisor.control.api.secrets import SecretsResource
from bundlevisor.control.api.shutdown import ShutdownResource
from bundlevisor.control.api.status import NotAtHand, StatusResource
from bundlevisor.control.api.telemetry import TelemetryResource
from bundlevisor.control.api.usage import Meter
from bundlevisor.control.http.response import Response
from bundlevisor.control.wire.errors import PHRASES, Refusal
from bundlevisor.control.wire.exchange import AGENT
from bundlevisor.control.wire.operations import refuse_unknown_parameters
from bundlevisor.control.wire.parameters import WAIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundlevisor.control.http.waitress_parts import HTTPRequestParser
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import RuntimeApi

LOOKS, ENDS = ("GET", "HEAD"), ("GET", "POST")
"""The methods of what only looks, and of the request to end."""
PLAIN = re.compile(r"[\w.~-]+=[\w.~-]+(&[\w.~-]+=[\w.~-]+)*", re.ASCII)
"""A query that is the same however it is read."""


class Asked:
    """A plain request for what is in memory."""

    def __init__(
        self, method: str, path: str, parameters: Mapping[str, str], agent: str | None
    ) -> None:
        self.method = method
        self.path = path
        self.parameters = parameters
        self.env: dict[str, Any] = {AGENT: agent}

    def get_param(self, name: str, /) -> str | None:
        """Return a parameter of the query."""
        return self.parameters.get(name)


class Answer:
    """What a resource answers."""

    status = 200
    content_type = ""
    data = b""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def set_headers(self, headers: Mapping[str, str], /) -> None:
        """Have these headers too."""
        self.headers |= headers


class DirectAnswers:
    """The resources that answer from memory."""

    def __init__(self, runtime: RuntimeApi, closing: Closing) -> None:
        self._runtime = runtime
        self.meter = Meter()
        """Shared by all who ask what services use: each look at them is remembered."""
        self.ready = ReadyResource(runtime, closing)
        """One, since it numbers what it has told."""
        status = StatusResource(runtime, self.meter)
        self._at_once: dict[str, Callable[[Asked, Answer], None]] = {
            "/readyz": self.ready.on_get,
            "/ports": PortsResource(runtime).on_get,
            "/status": status.answer_at_once,
            "/telemetry": TelemetryResource(runtime).on_get,
        }
        self._answers = self._at_once | {
            "/secrets": SecretsResource(runtime).on_get,
            "/shutdown": ShutdownResource(runtime).on_post,
            "/status": status.on_get,
        }
        self._methods = dict.fromkeys(self._answers, LOOKS) | {"/shutdown": ENDS}

    def read(self, request: HTTPRequestParser) -> Asked | None:
        """Return what a request asks for; None where it is not plain, or for something else."""
        if request.command not in self._methods.get(request.path, ()):
            return None
        parameters: dict[str, str] = {}
        if request.query:
            if PLAIN.fullmatch(request.query) is None:
                return None
            pieces = request.query.split("&")
            parameters = dict(piece.split("=") for piece in pieces)
            if len(parameters) < len(pieces):
                return None
        agent = request.headers.get("USER_AGENT")
        return Asked(request.command, request.path, parameters, agent)

    def at_once(self, asked: Asked) -> Response | None:
        """Return the answer; None where it has to be waited for, measured or told of first."""
        respond = self._at_once.get(asked.path)
        if respond is None or WAIT.name in asked.parameters:
            return None
        try:
            return self._response(asked, respond)
        except NotAtHand:
            return None

    def answer(self, asked: Asked) -> Response:
        """Return the answer; keeps it back as long as the request wants it kept."""
        return self._response(asked, self._answers[asked.path])

    def _response(self, asked: Asked, respond: Callable[[Asked, Answer], None]) -> Response:
        answer = Answer()
        try:
            refuse_unknown_parameters(asked.path, asked.path, asked.parameters)
            respond(asked, answer)
        except Refusal as refusal:
            error_answers.refuse(answer, refusal)
        except NotAtHand:
            raise
        except Exception as error:  # noqa: BLE001 - as Falcon's handler of any exception
            error_answers.tell_unexpected(self._runtime, asked, answer, error)
        return Response(
            answer.status, PHRASES[answer.status], answer.data, tuple(answer.headers.items())
        )
