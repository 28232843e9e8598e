"""How a browser gets in: a page that takes a code, and the exchange of the code for a session.

Answered in the server's loop as all that needs no token: from memory, headers only, no body read.
The code comes behind the ``#`` of the address, which no browser sends; a script of the page takes
it out of there and sends it in a header. So it stands in no request line and no Referer, what
fetches an address ahead does not use it up, and only our own origin can send it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.dashboard import cookies, page_files, rights
from bundlevisor.control.http.door import ENTRANCE
from bundlevisor.control.http.quick_answer import not_allowed, refusal
from bundlevisor.control.http.response import Response
from bundlevisor.control.wire.errors import CODES

if TYPE_CHECKING:
    import socket

    from bundlevisor.control.dashboard.guests import Guests
    from bundlevisor.control.http.waitress_parts import HTTPRequestParser

Owner = Callable[[], int | None]
"""Returns the user who has made the connection, None where the system does not tell."""
CODE = "BUNDLEVISOR_CODE"
"""The header with the code, as waitress names it."""
BAD_CODE = (
    "the code is unknown, used or older than a minute; 'bundlevisor dashboard' makes a new one"
)


def answer(request: HTTPRequestParser, guests: Guests, owner: Owner) -> Response:
    """Return the response to a request for one of the entrance's addresses."""
    name = ENTRANCE[request.path]
    allowed = ("GET", "HEAD") if name else ("POST",)
    if request.command not in allowed:
        return not_allowed(request.path, request.command, allowed)
    return _file(name) if name else _exchange(request, guests, owner)


def _file(name: str) -> Response:
    try:
        found = page_files.shipped().get(name)
    except OSError:
        found = None
    if found is None:
        sentence = "the dashboard's files are not where the runtime was installed"
        return refusal(404, "Not Found", CODES[404], sentence)
    return Response(200, "OK", found.body, tuple(page_files.HEADERS.items()), found.media_type)


def _exchange(request: HTTPRequestParser, guests: Guests, owner: Owner) -> Response:
    headers = request.headers
    if not rights.is_own_origin(headers):
        sentence = "a code is taken only from the page of this address"
        return refusal(403, "Forbidden", "forbidden_origin", sentence)
    code = headers.get(CODE, "")
    if guests.codes.is_known(code) and _is_foreign(owner):  # in this order: to ask who takes long
        sentence = "the code is another user's of this machine"
        return refusal(403, "Forbidden", "forbidden_user", sentence)
    session = guests.enter(code)
    if session is None:
        return refusal(401, "Unauthorized", "bad_code", BAD_CODE)
    cookie = ("Set-Cookie", cookies.made(headers.get("HOST", ""), session.cookie))
    return Response(200, "OK", msgspec.json.encode({"key": session.key}), (cookie,))


if sys.platform == "win32":

    def _is_foreign(_owner: Owner) -> bool:
        return False

else:

    def _is_foreign(owner: Owner) -> bool:
        """Return whether another user sends it, who may have seen it in a browser's arguments."""
        import os

        uid = owner()
        return uid is not None and uid not in (0, os.getuid())


def owner(client: socket.socket) -> int | None:
    """Return the user at the other end of a connection, where the system tells."""
    from bundlevisor.actors.probes.caller import caller_uid

    try:
        theirs, ours = client.getpeername(), client.getsockname()
    except OSError:
        return None
    return caller_uid(theirs[:2], ours[:2])
