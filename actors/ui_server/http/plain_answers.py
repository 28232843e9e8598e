"""Answers that are not files: a sentence for a person (HTML) or for a program (JSON)."""

from __future__ import annotations

from collections.abc import Mapping

from bundlevisor.actors.files import json_text
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.caching import NEVER
from bundlevisor.actors.ui_server.http.negotiate import prefers_html
from bundlevisor.actors.ui_server.http.request import Request

HEADERS = {
    "Cache-Control": NEVER,
    "X-Content-Type-Options": "nosniff",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 32rem;
padding: 0 1rem; color: #222 }} @media (prefers-color-scheme: dark)
{{ body {{ background: #1c1c1e; color: #ddd }} }}</style></head>
<body><h1>{title}</h1><p>{sentence}</p></body></html>
"""

_AGAIN = "This page tries again by itself."
_RETRY_SECONDS = "1"

FRAMING = "frame-ancestors 'self'"
"""The policy on who may show a page in a frame: nobody else."""

_PAGE_POLICY = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; {FRAMING}"
}


def explained(
    request: Request,
    status: int,
    code: str,
    sentence: str,
    headers: Mapping[str, str] | None = None,
    *,
    retry: bool = False,
    final: bool = False,
) -> Answer:
    """Answer with ``{"error": sentence, "code": code}``, or with a page where HTML is preferred.

    ``retry``: it is worth asking again in a second, which a page does by itself after a GET.
    ``final``: the connection ends with this answer.
    """
    extra = HEADERS | {"Vary": "Accept"} | dict(headers or {})
    if retry:
        extra["Retry-After"] = _RETRY_SECONDS
    if not prefers_html(request.headers.get("Accept")):
        body = json_text.encode({"error": sentence, "code": code})
        return _response(status, body, "application/json", extra, final=final)
    if retry and request.method == "GET":
        extra["Refresh"] = _RETRY_SECONDS
        sentence = f"{sentence} {_AGAIN}"
    page = _PAGE.format(title=_title(code), sentence=_escaped(_complete(sentence))).encode()
    return _response(status, page, "text/html; charset=utf-8", extra | _PAGE_POLICY, final=final)


def plain(
    status: int,
    sentence: str,
    headers: Mapping[str, str] | None = None,
    *,
    final: bool = False,
) -> Answer:
    """Answer with the sentence as text."""
    extra = HEADERS | dict(headers or {})
    body = f"{sentence}\n".encode()
    return _response(status, body, "text/plain; charset=utf-8", extra, final=final)


def failed() -> Answer:
    """An error of ours: the details stand in the log."""
    return plain(500, "the UI server failed to answer; its log says why", final=True)


def _response(
    status: int, body: bytes, content_type: str, headers: dict[str, str], *, final: bool
) -> Answer:
    return Answer(status, headers | {"Content-Type": content_type}, body, final=final)


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize().replace("Api", "API")


def _complete(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:].removesuffix(".") + "."


def _escaped(text: str) -> str:
    """Do as html.escape: nothing is imported for an answer, as the program's files may be gone."""
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#x27")):
        text = text.replace(sign, f"&{name};")
    return text
