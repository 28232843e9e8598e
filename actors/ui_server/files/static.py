"""Which file answers a path, and under which headers."""

from __future__ import annotations

import time
from functools import lru_cache

from bundlevisor.actors.ui_server.files.mime import content_type, own_encoding
from bundlevisor.actors.ui_server.files.preconditions import Verdict, evaluate, range_applies
from bundlevisor.actors.ui_server.files.ranges import Part, parse
from bundlevisor.actors.ui_server.files.sending import Sent, send
from bundlevisor.actors.ui_server.files.site import (
    LACKING,
    ReplacedError,
    Representation,
    Site,
)
from bundlevisor.actors.ui_server.files.url_path import is_route, split
from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.caching import ASK, cache_control
from bundlevisor.actors.ui_server.http.negotiate import accepts_html, choose_encoding
from bundlevisor.actors.ui_server.http.request import Request

PAGES = ("document", "iframe", "frame", "embed", "object", "empty")
"""Values of Sec-Fetch-Dest for which a route may be meant; ``script`` or ``image`` is none."""

TRIES = 3
"""How often a file is looked for that is replaced between being found and being opened."""


class Static:
    """Answers from the files of a site; GET and HEAD only."""

    def __init__(self, site: Site, content_security_policy: str) -> None:
        self._site = site
        self._headers = lru_cache(maxsize=256)(self._make_headers)
        self._every = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": policy(content_security_policy),
        }

    def answer(self, request: Request, path: str, *, routes: bool = True) -> Sent:
        """Answer a path (encoded, without its query); ``routes``: it may be a client-side one."""
        if request.method not in ("GET", "HEAD"):
            return plain_answers.explained(
                request,
                405,
                "method_not_allowed",
                f"{request.method} is not for files",
                {"Allow": "GET, HEAD"},
            )
        for _ in range(TRIES):
            try:
                return self._answer(request, path, routes=routes)
            except ReplacedError:
                continue
            except OSError as error:
                if error.errno not in LACKING:
                    raise
                return _lacking(request, error)
        return plain_answers.explained(
            request, 503, "file_changing", "this file is just being written", retry=True
        )

    def _answer(self, request: Request, path: str, *, routes: bool) -> Sent:
        """ReplacedError when a file is another one by the time it is opened."""
        names = split(path)
        if names is not None:
            found = self._site.find(names)
            if found is not None:
                return self._file(request, found)
            if names and names[-1] and self._site.has_folder(names):
                return _with_slash(request, path)
        index = self._site.find(()) if routes and _asks_for_route(request, path) else None
        return self._file(request, index) if index else _missing(request)

    def _file(self, request: Request, whole: Representation) -> Sent:
        neighbours = self._site.compressed(whole)
        headers = self._headers(whole.name, varies=bool(neighbours)).copy()
        parts = _parts(request, whole)
        chosen = whole
        if parts is None and neighbours:
            accepted = request.headers.get("accept-encoding") or ""
            chosen = neighbours.get(choose_encoding(accepted, tuple(neighbours)), whole)
        return _conditional(request, chosen, parts, headers)

    def _make_headers(self, name: str, *, varies: bool) -> dict[str, str]:
        headers = self._every | {
            "Accept-Ranges": "bytes",
            "Cache-Control": cache_control(name) if name != self._site.index else ASK,
            "Content-Type": content_type(name),
        }
        if encoding := own_encoding(name):
            headers["Content-Encoding"] = encoding
        if varies:
            headers["Vary"] = "Accept-Encoding"
        return headers


def policy(own: str) -> str:
    """Return a bundle's policy; where it does not say who may frame the page, only itself may.

    A frame of another site could have its visitors click in the application without knowing.
    """
    if "frame-ancestors" in own.lower():
        return own
    return "; ".join(filter(None, [own.rstrip("; "), plain_answers.FRAMING]))


def _conditional(
    request: Request,
    chosen: Representation,
    parts: list[Part] | None,
    headers: dict[str, str],
) -> Sent:
    headers["ETag"] = chosen.validators.etag
    headers["Last-Modified"] = chosen.validators.last_modified
    if chosen.may_be_unfinished:
        headers["Cache-Control"] = ASK
    match evaluate(request.headers, chosen.validators):
        case Verdict.NOT_MODIFIED:
            del headers["Content-Type"]
            return Answer(304, headers)
        case Verdict.FAILED:
            return plain_answers.plain(412, "the file is not the one that was expected")
    if parts == []:
        return plain_answers.plain(
            416,
            f"the file has {chosen.size} bytes",
            {"Content-Range": f"bytes */{chosen.size}", "Accept-Ranges": "bytes"},
        )
    if chosen.encoding:
        headers["Content-Encoding"] = chosen.encoding
    try:
        return send(request, chosen, parts, headers)
    except FileNotFoundError:
        return _missing(request)
    except PermissionError:
        return plain_answers.plain(403, "the file may not be read by the runtime's user")


def _parts(request: Request, whole: Representation) -> list[Part] | None:
    """The ranges that are asked for, which are of the file as it is; None: everything."""
    header = request.headers.get("Range")
    if header is None or request.method != "GET":
        return None
    if not range_applies(request.headers.get("If-Range"), whole.validators, time.time()):
        return None
    return parse(header, whole.size)


def _asks_for_route(request: Request, path: str) -> bool:
    """Whether the page itself can know the path: a client-side route."""
    wanted = request.headers.get("sec-fetch-dest") or "document"
    accepted = request.headers.get("Accept")
    return wanted in PAGES and accepts_html(accepted) and is_route(path)


def _with_slash(request: Request, path: str) -> Answer:
    """Relative links of a folder's page need the slash; the target is a path, never a host."""
    _, question, query = request.target.partition("?")
    return plain_answers.plain(308, "this is a folder", {"Location": f"{path}/{question}{query}"})


def _lacking(request: Request, error: OSError) -> Answer:
    sentence = f"files cannot be read just now: {error.strerror}"
    return plain_answers.explained(request, 503, "files_unreadable", sentence, retry=True)


def _missing(request: Request) -> Answer:
    return plain_answers.explained(
        request, 404, "not_found", "there is no such file in this bundle"
    )
