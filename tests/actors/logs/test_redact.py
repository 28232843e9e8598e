from __future__ import annotations

import itertools
import re

from hypothesis import example, given, strategies as st

from bundlevisor.actors.logs.redact import SHORTEST, Redactor, sought

KEY = ("API_KEY", b"sk-12345-secret")


def test_a_secret_is_replaced_wherever_it_stands() -> None:
    redactor = Redactor([KEY])
    text = b"a sk-12345-secret b sk-12345-secretsk-12345-secret\n"
    assert redactor.feed(text) == b"a [secret:API_KEY] b [secret:API_KEY][secret:API_KEY]\n"


def test_a_secret_is_replaced_wherever_the_blocks_cut_it() -> None:
    text = b"key=" + KEY[1] + b" end\n"
    for cut in range(len(text)):
        redactor = Redactor([KEY])
        shown = redactor.feed(text[:cut]) + redactor.feed(text[cut:]) + redactor.flush()
        assert shown == b"key=[secret:API_KEY] end\n"


def test_a_secret_that_comes_byte_by_byte_is_replaced() -> None:
    redactor = Redactor([KEY])
    shown = b"".join(redactor.feed(bytes([byte])) for byte in b"<" + KEY[1] + b">")
    assert shown + redactor.flush() == b"<[secret:API_KEY]>"


def test_text_that_only_begins_like_a_secret_comes_out_as_it_was() -> None:
    redactor = Redactor([KEY])
    assert redactor.feed(b"value sk-12345") == b"value "
    assert redactor.feed(b"-other\n") == b"sk-12345-other\n"


def test_values_that_come_later_are_hidden_from_then_on() -> None:
    redactor = Redactor([KEY])
    assert redactor.feed(b"other-secret sk-1234") == b"other-secret "
    redactor.add([("OTHER", b"other-secret"), ("API_KEY", KEY[1])])
    assert redactor.feed(b"5-secret other-") == b"[secret:API_KEY] "
    assert redactor.feed(b"secret\n") == b"[secret:OTHER]\n"


def test_whole_lines_are_never_held_back() -> None:
    redactor = Redactor([KEY])
    assert redactor.feed(b"nothing to hide\n") == b"nothing to hide\n"
    assert redactor.held() == b""


def test_no_more_than_the_longest_secret_is_held_back() -> None:
    redactor = Redactor([("LONG", b"ab" * 50), KEY])
    given_ = b"ab" * 500
    shown = redactor.feed(given_[:-1])
    markers = shown.count(b"[secret:LONG]")
    assert markers >= 1
    assert len(redactor._held) <= 99


def test_what_is_left_at_the_end_shows_at_most_three_bytes_of_a_secret() -> None:
    for length in range(len(KEY[1])):
        redactor = Redactor([KEY])
        shown = redactor.feed(b"> " + KEY[1][:length])
        assert shown == b"> "
        rest = KEY[1][:length] if length < SHORTEST else b"[secret:API_KEY]"
        assert redactor.held() == rest
        assert redactor.flush() == (rest if length else b"")
        assert redactor.feed(b"go on\n") == b"go on\n"


def test_a_value_without_a_letter_twice_is_replaced_wherever_the_blocks_cut_it() -> None:
    for cut in range(9):
        redactor = Redactor([("K", b"abcdefgh")])
        assert redactor.feed(b"abcdefgh."[:cut]) in (b"", b"[secret:K]")
        assert redactor.feed(b"abcdefgh."[cut:]) in (b".", b"[secret:K].")


def test_a_whole_value_is_told_at_once_though_another_may_begin_in_it() -> None:
    assert Redactor([("K", b"abcdea")]).feed(b"abcdea") == b"[secret:K]"


def test_only_what_a_value_may_go_on_with_is_held_back() -> None:
    assert Redactor([("K", b"abcde")]).feed(b"-c") == b"-c"
    assert Redactor([("K", b"abcdXeZ")]).feed(b"abcdYe") == b"abcdYe"


def test_nothing_is_saved_where_nothing_is_held_back() -> None:
    redactor = Redactor([KEY])
    assert redactor.save() == b""
    redactor.feed(b"key=sk-123")
    assert Redactor([KEY], redactor.save()).flush() == b"[secret:API_KEY]"
    redactor.feed(b".\n")
    assert redactor.save() == b""


def test_what_was_held_back_of_a_value_that_is_not_known_here_is_left_out() -> None:
    """A guardian knows the values of the start, the runtime also one that came later."""
    redactor = Redactor([("OLD", b"old-value")])
    redactor.add([("NEW", b"new-secret")])
    assert redactor.feed(b"it is new-sec") == b"it is "
    goes_on = Redactor([("OLD", b"old-value")], redactor.save())
    assert goes_on.feed(b"ret, old-value\n") == b"ret, [secret:OLD]\n"
    assert Redactor([("OLD", b"old-value")], redactor.save()).flush() == b""


def test_white_space_counts_where_too_little_is_left_without_it() -> None:
    assert sought(b" abcd\n") == b"abcd"
    assert sought(b" abc\n") == b" abc\n"


def test_the_longest_that_may_come_is_named_at_the_end() -> None:
    redactor = Redactor([("MIDDLE", b"abcdef"), ("LONG", b"abcdefgh"), ("SHORT", b"abcde")])
    assert redactor.feed(b"abcd") == b""
    assert redactor.flush() == b"[secret:LONG]"


def test_a_short_secret_that_a_longer_one_begins_with_waits_for_it() -> None:
    secrets = [("SHORT", b"abcd"), ("LONG", b"abcdef")]
    redactor = Redactor(secrets)
    assert redactor.feed(b"abcd") == b""
    assert redactor.feed(b"ef.") == b"[secret:LONG]."
    assert redactor.feed(b"abcd") == b""
    assert redactor.feed(b"e.") == b"[secret:SHORT]e."


def test_the_longest_of_the_secrets_that_begin_alike_is_named() -> None:
    redactor = Redactor([("SHORT", b"abcd"), ("LONG", b"abcdef")])
    assert redactor.feed(b"abcdef abcd\n") == b"[secret:LONG] [secret:SHORT]\n"


def test_overlapping_secrets_leave_no_byte_of_either() -> None:
    redactor = Redactor([("ONE", b"abcdXY"), ("TWO", b"XYefgh")])
    assert redactor.feed(b"-abcdXYefgh-") == b"-[secret:ONE]-"
    split = Redactor([("ONE", b"abcdXY"), ("TWO", b"XYefgh")])
    assert split.feed(b"-abcdXYe") + split.feed(b"fgh-") == b"-[secret:ONE]-"


def test_a_secret_whose_end_may_begin_another_is_shown_once() -> None:
    redactor = Redactor([("ONE", b"abcdefgh"), ("TWO", b"efghijkl")])
    assert redactor.feed(b"-abcdefgh") == b"-[secret:ONE]"
    assert redactor.held() == b"", "the marker stands for what is held back"
    assert Redactor([], redactor.save()).flush() == b""
    assert redactor.feed(b"ijkl-") == b"-"


def test_a_secret_in_what_may_become_a_longer_one_waits_for_it() -> None:
    secrets = [("OUTER", b"<abcd>"), ("INNER", b"abcd")]
    redactor = Redactor(secrets)
    assert redactor.feed(b"- <abcd") == b"- "
    assert redactor.held() == b"[secret:OUTER]"
    assert redactor.feed(b"> ") == b"[secret:OUTER] "
    other = Redactor(secrets)
    assert other.feed(b"- <abcd") + other.feed(b"]") == b"- <[secret:INNER]]"


def test_secrets_shorter_than_four_bytes_are_left_alone() -> None:
    assert Redactor([("PIN", b"123")]).feed(b"123 123\n") == b"123 123\n"
    assert Redactor([]).feed(b"123\n") == b"123\n"


def test_a_secret_of_many_lines_is_replaced() -> None:
    pem = b"-----BEGIN KEY-----\nabc\ndef\n-----END KEY-----"
    redactor = Redactor([("PEM", pem)])
    shown = b"".join(redactor.feed(line) for line in (b"x\n" + pem + b"\ny\n").splitlines(True))
    assert shown + redactor.flush() == b"x\n[secret:PEM]\ny\n"


LETTERS = st.sampled_from([b"a", b"b", b"c", b"\n"])
WORDS = st.lists(LETTERS, min_size=4, max_size=9).map(b"".join)


@given(st.lists(WORDS, min_size=1, max_size=4, unique=True), st.data())
@example([b"aaaa"], None)
def test_the_result_does_not_depend_on_how_the_text_is_cut(
    values: list[bytes], data: st.DataObject | None
) -> None:
    secrets = [(f"S{number}", value) for number, value in enumerate(values)]
    if data is None:
        text, cuts = b"aaaaaaaaaaaaaaaa\n", [1, 2, 3, 4, 5, 6, 7, 8]
    else:
        pieces = data.draw(st.lists(st.one_of(LETTERS, st.sampled_from(values)), max_size=20))
        text = b"".join(pieces) + b"."
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    whole = Redactor(secrets)
    expected = whole.feed(text) + whole.flush()
    parts, saved = Redactor(secrets), b""
    borders = [0, *cuts, len(text)]
    shown = b"".join(parts.feed(text[begin:end]) for begin, end in itertools.pairwise(borders))
    assert shown + parts.flush() == expected
    continued = b""
    for begin, end in itertools.pairwise(borders):
        part = Redactor(secrets, saved)
        continued += part.feed(text[begin:end])
        saved = part.save()
    assert continued + Redactor(secrets, saved).flush() == expected
    hidden = [sought(value) for value in values]
    visible = re.split(rb"\[secret:S\d\]", expected)
    assert not any(value in piece for value in hidden for piece in visible)
    covered = len(text) - sum(len(piece) for piece in visible)
    assert covered == sum(
        any(value in text[max(0, at - len(value) + 1) : at + len(value)] for value in hidden)
        for at in range(len(text))
    )


def test_a_value_is_hidden_also_without_the_white_space_around_it() -> None:
    redactor = Redactor([("PEM", b" -----BEGIN\nabcdef\n-----END\r\n")])
    shown = redactor.feed(b"key=-----BEGIN\nabcdef\n-----END; done\n") + redactor.flush()
    assert shown == b"key=[secret:PEM]; done\n"
