"""``docs/bundlevisor.1``: the manual page, from the parser and from what ``--help`` says."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator

from bundlevisor import __version__
from bundlevisor.control.cli.parser.help_text import TOP
from bundlevisor.control.cli.parser.whole_parser import whole
from bundlevisor.control.develop.completion.model import Argument, Command, Option, commands
from bundlevisor.manifest.format import app_data, variables

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = (
    ("bundle.json", "the bundle"),
    (f"APP-DATA/{app_data.INSTANCE}", "the running instance: its pid, port and bundle"),
    (f"APP-DATA/{app_data.USUAL_TOKEN}", "the token of the control API, where the bundle says so"),
    (f"APP-DATA/{app_data.SECRETS}", "values of secrets"),
    (
        f"APP-DATA/{app_data.LOGS}/{app_data.log_name('ID')}",
        "what a service has written, where the bundle says nothing else",
    ),
)
ENVIRONMENT = (
    ("XDG_CONFIG_HOME, HOME, APPDATA", "where app-data folders are"),
    (variables.KEY_STORE, "1: secrets are kept in the system's key store"),
    (variables.GPU_AVAILABLE, "true or false: whether there is a GPU, whatever is seen of it"),
    ("NO_COLOR", "no colours on a terminal"),
)


def page() -> str:
    """Return the whole page in the language of man(7)."""
    return "\n".join([*_lines()]) + "\n"


def _lines() -> Iterator[str]:
    yield '.\\" made by packaging/pages.py from the parser: change that'
    yield f'.TH BUNDLEVISOR 1 "{_date()}" "bundlevisor {__version__}" "User Commands"'
    yield from (".SH NAME", "bundlevisor \\- run the services of a desktop bundle")
    yield ".SH SYNOPSIS"
    for line in re.sub(r"(?m)^usage:", "", TOP.partition("usage:")[2]).split("\n\n")[0].split("\n"):
        if line.strip():
            yield _text(re.split(r"\s{2,}", line.strip())[0])
            yield ".br"
    yield ".SH DESCRIPTION"
    yield _text(
        "bundlevisor reads bundle.json, gives every service its ports, secrets and environment,"
        " starts the services in dependency order, watches and restarts them, answers over a"
        " loopback API with a bearer token, and leaves nothing behind when it ends. All other"
        " commands ask the running instance, or look at a bundle without one."
    )
    yield ".SH COMMANDS"
    for command in commands(whole()):
        if not command.groups:
            yield from _command(command)
    yield ".SH EXIT STATUS"
    codes = TOP.partition("exit codes\n")[2]
    for one in re.split(r"\s{2,}", codes.strip()):
        code, _, meaning = one.partition(" ")
        yield from (".TP", code, _text(_sentence(meaning)))
    yield from _table("ENVIRONMENT", ENVIRONMENT)
    yield from _table("FILES", FILES)
    yield from (".SH SEE ALSO", "The pages of the documentation, above all")
    yield from (".I docs/cli.md", "and", ".IR docs/developing.md .")


def _date() -> str:
    """Return a date that does not change with the day of the build."""
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as file:
        found = re.search(r"^## \[\d[^\]]*\] - (\d{4}-\d\d-\d\d)", file.read(), re.MULTILINE)
    assert found, "no release in CHANGELOG.md"
    return datetime.date.fromisoformat(found[1]).isoformat()


def _command(command: Command) -> Iterator[str]:
    words = [_bold(f"bundlevisor {command.name}")]
    if command.options:
        words.append("[\\fIoptions\\fR]")
    words += [_argument(one) for one in command.arguments]
    yield from (f".SS {' '.join(words)}", _text(_sentence(command.help)))
    for option in command.options:
        if option.words != ("-h", "--help"):
            yield from (".TP", _option(option), _text(_sentence(option.help)) or "\\&")


def _option(option: Option) -> str:
    words = ", ".join(_bold(word) for word in option.words)
    if option.kind == "none":
        return words
    value = f"\\fI{_text(option.metavar)}\\fR"
    return f"{words} [{value}]" if option.bare else f"{words} {value}"


def _argument(one: Argument) -> str:
    text = f"\\fI{_text(one.metavar)}\\fR{_text('…') if one.repeats else ''}"
    if one.kind == "command":
        return f"\\-\\- {text}"
    return f"[{text}]" if one.optional else text


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f".SH {title}"
    for name, meaning in rows:
        yield from (".TP", f".I {_text(name)}", _text(_sentence(meaning)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _bold(text: str) -> str:
    return f"\\fB{_text(text)}\\fR"


def _text(text: str) -> str:
    """Return text that the formatter takes as it is."""
    escaped = "".join(
        letter if letter.isascii() else f"\\[u{ord(letter):04X}]"
        for letter in text.replace("\\", "\\e").replace("-", "\\-")
    )
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
