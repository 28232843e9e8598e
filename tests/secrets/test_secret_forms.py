"""A secret is recognised line by line and in JSON, as the programs of many languages print it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bundlevisor.actors.logs.redact import Redactor
from bundlevisor.actors.logs.secret_forms import LINES, forms

PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg+kqhk/iG9w0B\nAQEFAASCBKcwggSj\n"
    "-----END PRIVATE KEY-----\n"
)
ACCOUNT = '{\n  "type": "service_account",\n  "key": "top\\"secret<&>",\n  "name": "Zoë 🔑"\n}'


def shown(value: str, text: str) -> str:
    redactor = Redactor(forms({"k": value}))
    return (redactor.feed(text.encode()) + redactor.flush()).decode()


def test_every_line_of_a_value_is_hidden() -> None:
    for line in PEM.splitlines()[1:3]:
        assert shown(PEM, f"read {line} here\n") == "read [secret:k] here\n"
    assert shown(PEM, "no -----BEGIN PRIVATE KEY----- here\n") == (
        "no -----BEGIN PRIVATE KEY----- here\n"
    )
    assert shown(PEM, "no -----END PRIVATE KEY----- here\n") == (
        "no -----END PRIVATE KEY----- here\n"
    )
    assert shown("first line\r\nother line", "other line\n") == "[secret:k]\n"
    assert shown("first line\rother line", "other line\n") == "[secret:k]\n"
    assert shown("a key-----\nabcd", "a key----- abcd abc\n") == "[secret:k] [secret:k] abc\n"
    assert shown("abcd\n-----BEGIN it", "-----BEGIN it\n") == "[secret:k]\n"
    assert shown("{\n  }}}}\nabc\nlong line", "}}}} abc\n") == "}}}} abc\n"


def test_the_whole_value_is_one_secret() -> None:
    assert shown(PEM, f"key: {PEM}") == "key: [secret:k]\n"


def dotnet(value: str) -> str:
    """Escape as System.Text.Json does by default."""
    escaped = "".join(
        f"\\u{ord(letter):04X}" if letter in "\"'&+<>`" else json.dumps(letter)[1:-1]
        for letter in value
    )
    return "".join(
        part if index % 2 == 0 else part[:4].upper() + part[4:]
        for index, part in enumerate(_split_units(escaped))
    )


def _split_units(text: str) -> list[str]:
    import re

    return re.split(r"(?<=\\u)([0-9a-fA-F]{4})", text)


WRITERS: dict[str, Callable[[str], str]] = {
    "Python": lambda value: json.dumps(value)[1:-1],
    "JavaScript": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "Go": lambda value: (
        json.dumps(value, ensure_ascii=False)[1:-1]
        .replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    ),
    "PHP": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "PHP with Unicode": lambda value: (
        json.dumps(value, ensure_ascii=False)[1:-1].replace("/", "\\/")
    ),
    ".NET": dotnet,
    "Go before 1.22": lambda value: (
        json.dumps(value, ensure_ascii=False)[1:-1]
        .replace("\\b", "\\u0008").replace("\\f", "\\u000c").replace("\u2028", "\\u2028")
        .replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    ),
    "Gson": lambda value: "".join(
        f"\\u{ord(letter):04x}" if letter in "<>&='\u2028" else
        json.dumps(letter, ensure_ascii=False)[1:-1] for letter in value
    ),
    "Jackson": lambda value: json.dumps(value, ensure_ascii=False)[1:-1].replace("1b", "1B"),
}  # fmt: skip


ODD = {
    "Python": "\x1b\x7f\b",
    "JavaScript": "\x1b\x7f\u2028\b",
    "Go before 1.22": "\x1b\x7f\u2028\b\f",
    "Gson": "\x1b\x7f\u2028\b",
    "Jackson": "\x1b\x7f\u2028\b",
}
"""What these write otherwise than others."""


@pytest.mark.parametrize("language", WRITERS)
@pytest.mark.parametrize("value", [PEM, ACCOUNT, 'a+b/c=&"quoted"\\', "Zoë's 🔑", "Zoë/🔑/a\x80b"])
@pytest.mark.parametrize("odd", [False, True])
def test_a_value_in_json_is_hidden(language: str, value: str, odd: bool) -> None:
    if odd and language in ODD:
        value = f"a{ODD[language]}b{value}"
    assert shown(value, f'{{"key": "{WRITERS[language](value)}"}}\n') in (
        '{"key": "[secret:k]"}\n',
        '{"key": "[secret:k]\\n"}\n',  # the end of a line counts for nothing
    )
    for line in [] if odd else value.strip().splitlines():
        if len(line.strip()) > 4 and not line.startswith("-----"):
            printed = shown(value, f'{{"line": "{WRITERS[language](line.strip())}"}}\n')
            assert printed == '{"line": "[secret:k]"}\n'


def test_an_ordinary_value_has_one_form() -> None:
    assert forms({"k": "correct-horse-battery"}) == (("k", b"correct-horse-battery"),)


def test_a_value_of_very_many_lines_is_bounded() -> None:
    value = "\n".join(f"line number {number:06}" for number in range(50_000))
    assert len(forms({"k": value})) <= 2 * (LINES + 1)


def test_the_longest_of_very_many_lines_are_looked_for() -> None:
    short = [f"z{number:06}" for number in range(LINES)]
    long = ["a long line of the value", "zz another long line"]
    lines = {form for _, form in forms({"k": "\n".join([*short[:9], *long, *short[9:]])})}
    assert {line.encode() for line in long} < lines
    assert len({line.encode() for line in short} & lines) == LINES - len(long)


def test_bytes_that_are_no_utf8_are_recognised_too() -> None:
    value = b"one line \xff\nother line \xfe".decode("utf-8", "surrogateescape")
    assert ("k", b"other line \xfe") in forms({"k": value})
