"""What is wrong with the head of a request that was refused: looked at anew, by rules of ours.

Waitress decides that a head is not valid, and says so in words that may change and that quote it.
The reason is found here, in the order in which a reader would come upon it (RFC 9112, 2 to 6).
"""

from __future__ import annotations

import re

NO_END = "the request line does not end with CR LF"
LONE_END = "a line ends with a lone CR or LF"
FOLDED_FIRST = "the first header begins with a blank"
NO_HEADER = "a header is not of the form 'Name: value'"
NO_REQUEST_LINE = "the request line is not of the form 'GET /path HTTP/1.1'"
SMALL_METHOD = "the method is not written in capital letters"
BAD_TARGET = "the request target is not valid"
NO_LENGTH = "the Content-Length is not a number"
UNREADABLE = "the request is not valid HTTP/1.1"
BLANKS = (b" ", b"\t")
LENGTH = b"content-length"

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
HEADER = re.compile(TOKEN + rb":[\t\x20-\x7e\x80-\xff]*")
REQUEST_LINE = re.compile(rb"(?P<method>" + TOKEN + rb") (?P<target>[^ ]+)( HTTP/[0-9]\.[0-9])?")


def fault(head: bytes) -> str:
    """Return why request line and headers are not valid; ``head`` ends with the headers."""
    line, end, rest = head.partition(b"\r\n")
    if not end:
        return NO_END
    lines = [line.rstrip(), *filter(None, rest.split(b"\r\n"))]
    for number, one in enumerate(lines):
        if b"\r" in one or b"\n" in one:
            return LONE_END
        if number == 1 and one.startswith(BLANKS):
            return FOLDED_FIRST
    headers = _unfolded(lines[1:])
    if not all(HEADER.fullmatch(header) for header in headers):
        return NO_HEADER
    return _fault_of_line(lines[0]) or _fault_of_lengths(headers) or UNREADABLE


def _unfolded(lines: list[bytes]) -> list[bytes]:
    headers: list[bytes] = []
    for line in lines:
        if line.startswith(BLANKS):
            headers[-1] += line
        else:
            headers.append(line)
    return headers


def _fault_of_line(line: bytes) -> str:
    parts = REQUEST_LINE.fullmatch(line)
    if parts is None:
        return NO_REQUEST_LINE
    if parts["method"] != parts["method"].upper():
        return SMALL_METHOD
    target = parts["target"]  # with two slashes it is no address to take apart
    return "" if target.isascii() or target.startswith(b"//") else BAD_TARGET


def _fault_of_lengths(headers: list[bytes]) -> str:
    fields = [header.partition(b":") for header in headers]
    lengths = [value.strip(b" \t") for name, _, value in fields if name.lower() == LENGTH]
    return "" if len(lengths) < 2 and all(one.isdigit() for one in lengths) else NO_LENGTH
