"""Regular expressions that were written for Go."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.pattern import to_python, why_refused

TAKEN_BY_BOTH = [
    "plain",
    "^ready$",
    r"listening on .*:\d+",
    "(?i)ready",
    "a(?i)b|c",
    "((?i)a|b)c",
    "(?i:ready) NOW",
    "(?s).+",
    "(?U)a+",
    "(?-s)a.b",
    "(?m)^ok$",
    "(?P<name>x)",
    "(?<name>x)",
    r"done\z",
    r"\Aab",
    r"\pL+\PN",
    r"\p{Greek}x",
    r"[\pL\d_]",
    r"\x{263a}",
    r"\x41\101",
    r"\Qa.b(\E+",
    r"\Qa.b(",
    "[[:alpha:][:digit:]]+",
    "[^[:space:]]",
    "[]a]",
    "[^]a]",
    "[a&&b]",
    "[a||b]",
    "[[a]",
    r"[\]x]",
    "a{2}",
    "a{2,}?",
    "a{,3}",
    "a{",
    r"\bword\B",
    r"\C",
    "(?:)",
    "",
    "x|",
    "é+",
    "a]b",
    "a}b",
]


@pytest.mark.parametrize("pattern", TAKEN_BY_BOTH)
def test_what_go_takes_is_no_error(pattern: str) -> None:
    assert why_refused(pattern) == ("", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        re.compile(to_python(pattern))


@pytest.mark.parametrize(
    "pattern", ["(", "a)", "[z-a]", "[a", "*a", "a**", "(?P<1>x)", "\\", "a{2,1}"]
)
def test_what_nobody_takes_is_refused_with_a_reason(pattern: str) -> None:
    reason, _ = why_refused(pattern)
    assert reason


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<n>a)(?P=n)", "(?>a)", "(?#c)"],
)
def test_what_only_python_takes_is_not_portable(pattern: str) -> None:
    assert why_refused(pattern) == ("", False)


@pytest.mark.parametrize("pattern", ["(" * 5000 + ")" * 5000, "a{99999999999999999999}"])
def test_monstrous_patterns_are_refused_without_a_crash(pattern: str) -> None:
    assert why_refused(pattern)[0]


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("ready$", "ready", True),
        ("ready$", "ready\n", False),
        ("(?m)ready$", "ready\nmore", True),
        ("(?m:^a$)b$", "a", False),
        (r"ready\z", "ready", True),
        ("a(?i)b|c", "aB", True),
        ("a(?i)b|c", "AB", False),
        ("a(?i)b|c", "C", True),
        ("(a(?i)b|c)d", "CD", False),
        ("(a(?i)b|c)d", "Cd", True),
        ("[[:upper:]]x", "Ax", True),
        ("[[:upper:]]x", "ax", False),
        (r"\Qa.c\E", "a.c", True),
        (r"\Qa.c\E", "abc", False),
        ("a{,3}", "a{,3}", True),
        ("[a&&b]", "&", True),
        (r"\x{263a}", "☺", True),
        (r"^\pL+$", "äb", True),
        (r"^\C$", "\n", True),
        (r"(?s)a.b", "a\nb", True),
        (r"a.b", "a\nb", False),
    ],
)
def test_the_translation_matches_what_go_matches(pattern: str, text: str, answer: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = re.search(to_python(pattern), text)
    assert (found is not None) is answer


PIECES = st.lists(
    st.sampled_from(
        ["a", "b", ".", "|", "(", ")", "(?i)", "(?m)", "(?s:", "$", "^", "[ab]", "[^a]", "*", "+?",
         r"\d", r"\z", r"\Qa*\E", "[[:alpha:]]", "{2}", "\n", r"\pL", "B", "(?P<x>", r"\x{61}"]
    ),
    max_size=10,
).map("".join)  # fmt: skip


@given(PIECES, st.text("abB1\n", max_size=6))
def test_re2_itself_agrees(pattern: str, text: str) -> None:
    re2: Any = pytest.importorskip("re2")
    options = re2.Options()
    options.log_errors = False
    try:
        expected = re2.compile(pattern, options=options)
    except re2.error:
        return
    reason, portable = why_refused(pattern)
    if "repeat" in reason or "redefinition" in reason:  # refused by Go, too
        return
    assert (reason, portable) == ("", True)
    assert (expected.search(text) is not None) == (re.search(to_python(pattern), text) is not None)
