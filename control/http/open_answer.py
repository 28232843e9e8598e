"""What is answered without the token: ``/healthz``, and the entrance of the dashboard."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from bundlevisor.control.http.door import ENTRANCE
from bundlevisor.control.http.quick_answer import of_health

if TYPE_CHECKING:
    import socket

    from bundlevisor.control.http.door import Door
    from bundlevisor.control.http.health_words import HealthWords
    from bundlevisor.control.http.response import Response
    from bundlevisor.control.http.waitress_parts import HTTPRequestParser


def of_open(
    request: HTTPRequestParser, words: HealthWords, door: Door, client: socket.socket
) -> Response:
    """Return the answer to a request of a path that is open to everybody."""
    if request.path not in ENTRANCE:
        return of_health(words, request.command, request.query)
    from bundlevisor.control.http import entrance

    owner = functools.partial(entrance.owner, client)
    return entrance.answer(request, door.guests(), owner)
