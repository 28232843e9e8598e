"""Regular expressions of a bundle: what RE2 takes, and what it says of the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bundlevisor.manifest.format.pattern import (
    LONGEST,
    compile_pattern,
    plain_text,
    why_refused,
)

TAKEN = [
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


@pytest.mark.parametrize("pattern", TAKEN)
def test_what_go_takes_is_no_error(pattern: str) -> None:
    assert why_refused(pattern) == ""
    assert compile_pattern(pattern).programsize > 0
    assert compile_pattern(pattern, by_line=True).programsize > 0


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(", "missing ): ("),
        ("a)", "unexpected ): a)"),
        ("[z-a]", "invalid character class range: z-a"),
        ("[a", "missing ]: [a"),
        ("*a", "no argument for repetition operator: *"),
        ("a**", "bad repetition operator: **"),
        ("(?P<n m>x)", "invalid named capture group: (?P<n m>"),
        ("\\", "trailing \\"),
        ("\\é", "invalid escape sequence: \\é"),
        ("a{2,1}", "invalid repetition size: {2,1}"),
        ("a{1001}", "invalid repetition size: {1001}"),
        ("(?=a)", "invalid perl operator: (?="),
        ("(?!a)b", "invalid perl operator: (?!"),
        ("(?<=a)b", "invalid perl operator: (?<"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?P<n>a)(?P=n)", "invalid perl operator: (?P"),
        ("(?>a)", "invalid perl operator: (?>"),
        ("(?#c)", "invalid perl operator: (?#"),
        ("\ud800(", "it is no valid Unicode"),
        (r"\pL" * LONGEST, f"it is longer than {LONGEST} characters"),
    ],
)
def test_what_re2_does_not_take_is_refused_in_its_own_words(pattern: str, sentence: str) -> None:
    assert why_refused(pattern).startswith(sentence)
    with pytest.raises(ValueError, match=r"^."):
        compile_pattern(pattern, by_line=True)


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("ready$", "ready", True),
        ("ready$", "ready\n", False),
        ("(?m)ready$", "ready\nmore", True),
        ("a(?i)b|c", "aB", True),
        ("a(?i)b|c", "AB", False),
        ("[[:upper:]]x", "ax", False),
        (r"^\pL+$", "äb", True),
        (r"a.b", "a\nb", False),
    ],
)
def test_a_pattern_is_searched_for_in_the_text_as_a_whole(
    pattern: str, text: str, answer: bool
) -> None:
    assert (compile_pattern(pattern).search(text) is not None) is answer


def test_a_pattern_may_be_as_long_as_is_said_and_nothing_of_it_is_kept() -> None:
    compile_pattern("a" * LONGEST)
    with pytest.raises(ValueError, match="longer than"):
        compile_pattern("a" * (LONGEST + 1))
    assert compile_pattern("(a)(b)").search("ab").groups() == ()


def test_re2_writes_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    assert why_refused("(?=a)")
    assert capfd.readouterr() == ("", "")


def test_by_line_the_anchors_stand_at_every_line() -> None:
    assert compile_pattern("^b$", by_line=True).search("a\nb\nc") is not None
    assert compile_pattern("^b$").search("a\nb\nc") is None


@pytest.mark.parametrize(("pattern", "imported"), [("ready ^now$.", "False"), ("ready|up", "True")])
def test_re2_is_imported_for_patterns_that_need_it(pattern: str, imported: str) -> None:
    code = (
        "import sys; from bundlevisor.manifest.format.pattern import why_refused;"
        f" assert not why_refused({pattern!r}); print('re2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == imported


def test_plain_text_is_what_re2_takes_without_being_asked() -> None:
    for text in ("", "^", "$", ".", "^$", "-", "é", "\0", "\n", "a" * 1000):
        assert why_refused(text) == ""
        compile_pattern(text)


@pytest.mark.parametrize("special", "\\()[]{}*+?|^$.")
def test_a_pattern_with_anything_special_is_no_plain_text(special: str) -> None:
    assert plain_text(f"the {special} index") is None


def test_all_other_characters_mean_themselves() -> None:
    others = "".join(map(chr, range(128)))
    plain = "".join(one for one in others if plain_text(one) is not None) + "é€\U0001f600"
    assert plain_text(plain) == plain.encode()
    assert len(plain) == 128 - len("\\()[]{}*+?|^$.") + 3
    for one in plain:
        found = compile_pattern(one, by_line=True).search(b"<" + plain.encode() + b">")
        assert found is not None
        assert found.group().decode() == one


@pytest.mark.parametrize("by_line", [False, True])
def test_a_refusal_quotes_the_pattern_as_it_was_written(by_line: bool) -> None:
    with pytest.raises(ValueError, match=r"^missing \): a\($"):
        compile_pattern("a(", by_line=by_line)
