"""Whether a file has to be sent at all: RFC 9110, section 13, in its order of precedence."""

from __future__ import annotations

import enum
import re
from typing import Protocol

import msgspec

from bundlevisor.actors.loop.wall_time import http_date, read_http_date

CONDITIONS = frozenset(("if-match", "if-unmodified-since", "if-none-match", "if-modified-since"))
_ETAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\U0010ffff]*")')


class Validators(msgspec.Struct, frozen=True):
    """What identifies the content of a file; ``modified`` is in whole seconds since the epoch."""

    etag: str
    modified: int

    @property
    def last_modified(self) -> str:
        """The Last-Modified header."""
        return http_date(self.modified)


class Fields(Protocol):
    """The fields of a request, whatever the case of their names."""

    def get(self, name: str, /) -> str | None:
        """The field of this name, all of its lines; None where there is none."""

    def holds_any(self, names: frozenset[str], /) -> bool:
        """Whether one of these is there, by their names in small letters."""


class Verdict(enum.Enum):
    """What the preconditions of a request come to."""

    SEND = 200
    NOT_MODIFIED = 304
    FAILED = 412


def evaluate(headers: Fields, current: Validators) -> Verdict:
    """Judge the preconditions of a GET or HEAD request; a date that cannot be read is no date."""
    if not headers.holds_any(CONDITIONS):
        return Verdict.SEND
    if (match := headers.get("If-Match")) is not None:
        if not _matches(match, current.etag, weakly=False):
            return Verdict.FAILED
    elif (since := read_http_date(headers.get("If-Unmodified-Since"))) is not None and (
        current.modified > since
    ):
        return Verdict.FAILED
    if (none_match := headers.get("If-None-Match")) is not None:
        known = _matches(none_match, current.etag, weakly=True)
        return Verdict.NOT_MODIFIED if known else Verdict.SEND
    since = read_http_date(headers.get("If-Modified-Since"))
    return Verdict.NOT_MODIFIED if since is not None and current.modified <= since else Verdict.SEND


def range_applies(if_range: str | None, current: Validators, now: float) -> bool:
    """Whether a Range header counts: the client's part must be of exactly this content.

    A date serves only when it is the file's own and at least a second old (section 8.8.2.2).
    """
    if if_range is None:
        return True
    if if_range.startswith(('"', "W/")):
        return if_range == current.etag
    date = read_http_date(if_range)
    return date is not None and date == current.modified and current.modified + 1 <= now


def _matches(header: str, etag: str, *, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    return any(tag == etag and (weakly or not weak) for weak, tag in _ETAG.findall(header))
