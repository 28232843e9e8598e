"""What is told of bytes that are no JSON."""

from __future__ import annotations

import pytest

from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.read import syntax
from bundlevisor.manifest.read.load import Loaded, parse
from bundlevisor.manifest.read.syntax import explain

TOO_DEEP = "the file nests brackets too deeply; no bundle needs that."
TOO_LARGE = "the number {} is too large to be read; write a smaller one."
NO_NUMBER = "{} is no JSON; write a number or leave the field out."
OTHER_CODE = "the file is written in {}; save it as UTF-8."
HALF_PAIR = (
    "the file is no JSON: Input data was truncated; look for half a surrogate pair (\\ud800)."
)
NO_COMMENTS = "JSON has no comments; remove the one at {}"
NO_COMMA = "JSON has no comma before a closing bracket; remove the one at {}"
NO_QUOTES = "JSON has texts in double quotes; replace the ' at {}"
ZERO_BYTES = "the file holds only zero bytes; it was not written to its end."


@pytest.mark.parametrize(
    ("data", "code", "sentence"),
    [
        (b"", "manifest_empty", "the file is empty; it must hold a bundle."),
        (b" \r\n\t", "manifest_empty", "the file holds only blanks; it must hold a bundle."),
        (b"\0" * 50, "manifest_empty", ZERO_BYTES),
        (
            b'{"schema_version": "v0.1", "serv',
            "truncated",
            (
                "the file ends too early (line 1,"
                " column 28: Unterminated string starting at); copy it again."
            ),
        ),
        (
            b'{\n"a": 1',
            "truncated",
            ("the file ends too early (line 2, column 7: Expecting ',' delimiter); copy it again."),
        ),
        (
            b'{\n  "a": 1,\n  "b" 2\n}',
            "not_json",
            ("the file is no JSON: expecting ':' delimiter (line 3, column 7)."),
        ),
        (b'{"a": 1} {}', "not_json", "the file is no JSON: extra data (line 1, column 10)."),
        (
            b"\xef\xbb\xbf{}",
            "byte_order_mark",
            ("the file begins with a byte order mark; save it as UTF-8 without one."),
        ),
        (b"\xff\xfe" + '{"a": 1}'.encode("utf-16-le"), "not_utf8", OTHER_CODE.format("UTF-16")),
        (b"\xfe\xff" + '{"a": 1}'.encode("utf-16-be"), "not_utf8", OTHER_CODE.format("UTF-16")),
        (b"\xff\xfe\0\0" + '{"a": 1}'.encode("utf-32-le"), "not_utf8", OTHER_CODE.format("UTF-32")),
        (b"\0\0\xfe\xff" + '{"a": 1}'.encode("utf-32-be"), "not_utf8", OTHER_CODE.format("UTF-32")),
        (
            b'{"a":\n\n "\xff"}',
            "not_utf8",
            ("the file is not UTF-8: byte 0xff at line 3, byte 3; save it as UTF-8."),
        ),
        (
            b"\xe4",
            "not_utf8",
            ("the file is not UTF-8: byte 0xe4 at line 1, byte 1; save it as UTF-8."),
        ),
        (b"[\n\x01]", "not_json", "the file is no JSON: expecting value (line 2, column 1)."),
        (b'{"a": NaN}', "not_a_number", NO_NUMBER.format("NaN")),
        (b'{"a": [-Infinity, NaN]}', "not_a_number", NO_NUMBER.format("-Infinity")),
        (b'{"a": 1e999}', "number_out_of_range", TOO_LARGE.format("1e999")),
        (b'{"a": ' + b"9" * 5000 + b"}", "number_out_of_range", TOO_LARGE.format("9" * 20 + "...")),
        (b'[0, -1e400, 1e500, "x', "number_out_of_range", TOO_LARGE.format("-1e400")),
        (b'{"a": "\\ud800"}', "not_json", HALF_PAIR),
        (
            b'["\\ud800", ' + b"9" * 5000 + b"]",
            "not_json",
            (
                "the file is no JSON: JSON is malformed:"
                " unexpected end of escaped utf-16 surrogate pair (byte 8)."
            ),
        ),
        (b"[" * 10_000, "nested_too_deeply", TOO_DEEP),
        (b'{"a":' * 10_000, "nested_too_deeply", TOO_DEEP),
        (b"[" * 10_000 + b"]" * 10_000, "nested_too_deeply", TOO_DEEP),
    ],
)
def test_bytes_that_are_no_json_get_one_clear_error(data: bytes, code: str, sentence: str) -> None:
    loaded = parse(data)
    assert loaded == Loaded(None, Findings(errors=(Finding(code, "", sentence),)))


@pytest.mark.parametrize("data", [b"\x0c\n", b"X X", b"X\0"])
def test_only_what_json_takes_for_blanks_is_blank(data: bytes) -> None:
    (error,) = parse(data).findings.errors
    assert error.message == "the file is no JSON: expecting value (line 1, column 1)."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"// words\n{}", NO_COMMENTS.format("line 1, column 1")),
        (b'{"a": 1, // words\n"b": 2}', NO_COMMENTS.format("line 1, column 10")),
        (b'{"a": 1\n  /* words */}', NO_COMMENTS.format("line 2, column 3")),
        (b'{\n# words\n"a": 1}', NO_COMMENTS.format("line 2, column 1")),
        (b"[NaN,]", NO_COMMA.format("line 1, column 5")),
        (b'{"a":\n[1,\r\n\t]}', NO_COMMA.format("line 2, column 3")),
        (b'{"a": 1 , }', NO_COMMA.format("line 1, column 9")),
        (b"{'a': 1}", NO_QUOTES.format("line 1, column 2")),
        (b"{'a': 1}\n", NO_QUOTES.format("line 1, column 2")),
        (b"[1\n, 'a']", NO_QUOTES.format("line 2, column 3")),
        (b"\n\n[\n # words\n]", NO_COMMENTS.format("line 4, column 2")),
        (
            b"{\x0c# words\n}",
            "expecting property name enclosed in double quotes (line 1, column 2)",
        ),
        (b"[1,\x0c]", "expecting value (line 1, column 4)"),
        (b"[1,,2]", "expecting value (line 1, column 4)"),
        (b"[1 /2]", "expecting ',' delimiter (line 1, column 4)"),
        (b'{"a": "x//y" 3}', "expecting ',' delimiter (line 1, column 14)"),
    ],
)
def test_what_other_formats_allow_is_told_by_its_place(data: bytes, words: str) -> None:
    """Versions of Python stop at a comma too many or behind it, with other words."""
    (error,) = parse(data).findings.errors
    assert (error.code, error.message) == ("not_json", f"the file is no JSON: {words}.")


@pytest.mark.parametrize("stopped", [2, 3])
def test_a_comma_too_many_is_told_by_its_place_wherever_python_stops(stopped: int) -> None:
    words = NO_COMMA.format("line 1, column 3")
    assert syntax._foreign_syntax("[1,]", stopped) == words
    assert syntax._foreign_syntax("[1, ]", stopped) == words


def test_what_is_wrong_with_nothing_is_not_known() -> None:
    assert explain(b"[]") == Finding("not_json", "", "the file is no JSON.")
