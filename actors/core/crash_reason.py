"""Which of the last lines of a program says what went wrong: a pure function over its output.

Few runtimes print the reason last: Node ends with its version, Java, Go and Rust with the stack,
Python at times with more lines of the message, servers with words on their orderly end. So the
output is read from its end. What is known to follow a reason (:data:`AFTER`, and all that is
indented) is skipped. Where the line found belongs to a block that names its reason elsewhere, that
line is taken. Where nothing is recognised, it is the last line.
"""

from __future__ import annotations

import re

import msgspec

from bundlevisor.actors.logs.last_line import SEQUENCE

LONGEST = 200
"""Characters of a reason; the lines around it are whole."""
BEFORE, BEHIND = 4, 8
"""How many lines around the reason are shown with it."""
BLOCK = 40
"""Lines that may lie between a reason and the head of its block, in long messages."""

AFTER = re.compile(
    r"""
    \s | [\]})]+,?;?$ | -{3,} | =+$                     # indented; the end of a dump, rulers
    | Node\.js\ v\d | \(Use\ `node | Emitted\ 'error' | Require\ stack: | -\ / | \d+:\ 0x
    | goroutine\ \d+ | \[signal\ | created\ by\ | exit\ status\ \d+$           # Go
    | note:\ (run\ with|Some\ details) | stack\ backtrace:                     # Rust
    | Stack\ trace: | \#\d+\ | \#$                                              # PHP, the JVM
    | Traceback\ \(most | During\ handling | The\ above\ exception            # Python
    | (Current\ t|T)hread\ 0x | Extension\ modules:\                          # its faulthandler
    | npm\ (ERR!|error) | \[process\ exited | Aborted(\ \(core\ dumped\))?$
    """,
    re.VERBOSE,
)
"""Lines that follow a reason, and never are one."""
CALM = re.compile(
    r"""(?>\S+\s+){0,5}\W*(INFO|DEBUG|TRACE|NOTICE|WARN(ING)?)\b  # a word that is set as a level
    | .*["']?level["']?\s*[=:]\s*["']?(info|debug|trace|warn)""",
    re.VERBOSE,
)
"""Lines of a log that tell of no failure."""
ALARMING = re.compile(
    r"\b(error|fatal|panic|exception|critical|fail(ed|ure)?|cannot|can't|could not|unable|denied"
    r"|refused|not found|no such|in use|invalid|missing|abort(ed)?|died|out of memory)\b"
    r"|Error\b|Exception\b|\ at \S+ line \d+\.$",
    re.IGNORECASE,
)
PYTHON = re.compile(r"[A-Za-z_][\w.]*(: .*)?$")
RUBY = re.compile(r"\S+:\d+:in .*\([A-Z]\w*(::\w+)*\)$")
RUST = re.compile(r"thread '.*panicked at ")
GO = re.compile(r"(panic|fatal error): ")
GO_PLACE = re.compile(r"\t\S+\.(go|s):\d+")
CARET = re.compile(r"\s*\^+\s*$")


class Reason(msgspec.Struct, frozen=True):
    """What an output says of its program's end."""

    line: str = ""
    """At most LONGEST characters; empty when nothing was written."""
    around: tuple[str, ...] = ()
    """The line with those before and behind it."""
    sure: bool = False
    """Whether it speaks of a failure, and is not just the last that was said."""


def find_reason(output: str) -> Reason:
    """Return the reason of a crash, as far as the last lines of its output tell it."""
    lines, written = _lines(output)
    if not written:
        return Reason()
    place = _candidate(lines, written)
    known = None if place is None else _head_of_block(lines, place)
    if known is not None:
        place = known
    elif place is None:
        place = written[-1]
    line = _words(lines[place])
    around = lines[max(0, place - BEFORE) : place + BEHIND + 1]
    sure = known is not None or bool(ALARMING.search(line))
    return Reason(line[:LONGEST], tuple(around), sure)


def last_said(output: str) -> Reason:
    """Return the last line, for a program that was ended: what it says is no reason for that."""
    lines, written = _lines(output)
    if not written:
        return Reason()
    place = written[-1]
    return Reason(_words(lines[place])[:LONGEST], tuple(lines[max(0, place - BEFORE) : place + 1]))


def _lines(output: str) -> tuple[list[str], list[int]]:
    """Return the lines as a person sees them, and the places of those in which something stands."""
    lines = [SEQUENCE.sub("", line).rstrip() for line in output.splitlines()]
    return lines, [place for place, line in enumerate(lines) if line]


def _candidate(lines: list[str], written: list[int]) -> int | None:
    """Return the last line that does not merely follow a reason."""
    for place in reversed(written):
        if not (AFTER.match(lines[place]) or CALM.match(lines[place]) or _is_frame(lines, place)):
            return place
    return None


def _is_frame(lines: list[str], place: int) -> bool:
    """Whether a line is a function of a Go stack: the next one says where it is."""
    return place + 1 < len(lines) and bool(GO_PLACE.match(lines[place + 1]))


def _head_of_block(lines: list[str], place: int) -> int | None:
    """Return the line that a known kind of block names as its reason; None without such a block."""
    for finder in (_node, _python, _rust, _go, _ruby, _cpp, _java, _spring):
        found = finder(lines, place)
        if found is not None:
            return found
    return None


def _last(lines: list[str], pattern: re.Pattern[str], place: int) -> int | None:
    """Return the last line that matches, at ``place`` or up to BLOCK lines above it."""
    above = range(place, max(-1, place - BLOCK), -1)
    return next((one for one in above if pattern.match(lines[one])), None)


def _next_written(lines: list[str], place: int) -> int | None:
    return next((one for one in range(place + 1, len(lines)) if lines[one]), None)


def _node(lines: list[str], place: int) -> int | None:
    """The error stands below the caret, which stands below the line of the program."""
    if not any(line.startswith("Node.js v") for line in lines[place:]):
        return None
    caret = _last(lines, CARET, place)
    return None if caret is None else _next_written(lines, caret)


def _python(lines: list[str], place: int) -> int | None:
    """The exception is the first line behind the frames; its message may have more."""
    head = _last(lines, re.compile(r"Traceback \(most recent call last\):"), place)
    if head is None:
        return None
    below = range(head + 1, len(lines))  # with ``place``, which is not indented
    behind = next(one for one in below if lines[one] and not lines[one].startswith(" "))
    return behind if PYTHON.match(lines[behind]) else None


def _rust(lines: list[str], place: int) -> int | None:
    """The message stands below the place, or (before Rust 1.73) in the same line."""
    head = _last(lines, RUST, place)
    if head is None or not lines[head].endswith(":"):
        return head
    return _next_written(lines, head)


def _go(lines: list[str], place: int) -> int | None:
    """A panic's value may have several lines; the goroutines follow."""
    if not any(line.startswith("goroutine ") for line in lines[place:]):
        return None
    return _last(lines, GO, place)


def _ruby(lines: list[str], place: int) -> int | None:
    """The place and the message come first, then the program's line, then the callers."""
    return _last(lines, RUBY, place)


def _cpp(lines: list[str], place: int) -> int | None:
    if not lines[place].startswith("terminate called"):
        return None
    said = _next_written(lines, place)
    return said if said is not None and "what():" in lines[said] else place


def _java(lines: list[str], place: int) -> int | None:
    return place if lines[place].startswith(("Caused by: ", "Exception in thread ")) else None


def _spring(lines: list[str], place: int) -> int | None:
    """Spring Boot's report ends with what to do about it."""
    head = _last(lines, re.compile("APPLICATION FAILED TO START"), place)
    if head is None:
        return None
    described = next((one for one in range(head, place) if lines[one] == "Description:"), head)
    return _next_written(lines, described)


def _words(line: str) -> str:
    """Return a line without what stands around its words: JSON, a prefix, Node's explanations."""
    line = line.strip()
    for prefix in ("Caused by: ", "what():"):
        line = line.removeprefix(prefix).strip()
    if line.startswith("UnhandledPromiseRejection: "):
        return line[max(0, line.find("The promise rejected")) :]
    if not line.startswith("{"):
        return line
    try:
        told = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return line
    said = [told[key] for key in ("msg", "message", "error") if isinstance(told.get(key), str)]
    return said[0] if said and said[0] else line
