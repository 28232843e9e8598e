"""Tables on terminals of any width: nothing is left out."""

from __future__ import annotations

from unicodedata import east_asian_width

import pytest

from bundlevisor.control.cli.screen.cells import wrapped
from bundlevisor.control.cli.screen.render import ports, readiness, status
from bundlevisor.control.cli.screen.tables import table

REASON = (
    "migration_failed: migration 2024-01: exit code 1: could not connect to "
    "postgres://127.0.0.1:47001/notes-with-a-name-that-is-longer-than-a-narrow-terminal-has-columns"
)
DOCUMENT = {
    "app_name": "Notes",
    "app_version": "1.0",
    "pid": 4711,
    "uptime_s": 61.0,
    "ipc_host": "127.0.0.1",
    "ipc_port": 47000,
    "dry_run": False,
    "services": [
        {"id": "database", "state": "failed", "restarts": 3, "message": REASON},
        {"id": "api", "state": "ready", "restarts": 0, "pid": 77, "ports": {"http": 47002}},
    ],
}


def letters(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("width", [None, 200, 120, 100, 80, 60, 50, 30, 12])
def test_the_reason_of_a_failure_is_whole_at_every_width(width: int | None) -> None:
    shown = status(DOCUMENT, width)
    assert letters(REASON) in letters(shown)
    for word in ("database", "failed", "ready", "http:47002", "77"):
        assert word in letters(shown)
    lines = shown.splitlines()[2:]
    assert width is None or max(map(len, lines)) <= width


def columns(line: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("width", [None, 200, 120, 100, 80, 79, 60, 50, 30, 12])
def test_letters_of_two_columns_are_counted_as_such(width: int | None) -> None:
    reason = "exit 3: 設定ファイル /home/太郎/notes を開けません、許可がありません " * 3
    failed = {"id": "db", "state": "failed", "restarts": 3, "message": reason}
    shown = status({**DOCUMENT, "services": [failed]}, width)
    assert letters(reason) in letters(shown)
    assert width is None or max(map(columns, shown.splitlines()[2:])) <= width


@pytest.mark.parametrize("width", range(1, 40))
def test_letters_of_two_columns_come_to_an_end_at_every_width(width: int) -> None:
    text = "exit 3: 設定ファイルを開けません、 許可 がありません (3 times) é"
    lines = wrapped(text, width, "  ", "    ")
    assert letters("".join(lines)) == letters(text)
    assert all(line.strip() for line in lines)
    assert max(map(columns, lines)) <= max(width, 6)


def test_a_text_that_does_not_fit_beside_the_others_is_wrapped_there() -> None:
    shown = table(["A", "B"], [["one", "x " * 30]], 40)
    assert [line[:5] for line in shown.splitlines()] == ["A    ", "one  ", "     "]


def test_a_text_without_room_stands_below_its_line() -> None:
    shown = table(["A", "B", "C"], [["o" * 15, "t" * 15, "the reason of it"]], 40)
    assert shown.splitlines()[1:] == [f"{'o' * 15}  {'t' * 15}", "    the reason of it"]


def test_where_nothing_fits_each_row_is_a_paragraph() -> None:
    shown = table(["A", "NEXT", "C"], [["one", "two words more", "-"], ["x", "", "y"]], 12)
    assert shown == "one\n  next: two\n    words\n    more\n\nx\n  c: y"


def test_a_port_of_a_service_with_a_long_name_stays_on_the_screen() -> None:
    shown = ports({"services": {"a" * 70: {"http": 47000}}}, 80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "127.0.0.1:47000" in shown


@pytest.mark.parametrize(("count", "said"), [(1, "ready: 1 service"), (2, "ready: 2 services")])
def test_what_is_ready_is_counted_in_words(count: int, said: str) -> None:
    details = {str(n): {"ready": True} for n in range(count)}
    assert readiness({"ready": True, "details": details}) == said
