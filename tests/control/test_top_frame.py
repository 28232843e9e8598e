"""The screen of ``top``: what it shows, and that it fits."""

from __future__ import annotations

from typing import Any

import pytest

from bundlevisor.control.cli.screen.colours import uncoloured
from bundlevisor.control.cli.screen.start_frame import Screen
from bundlevisor.control.cli.screen.top_frame import KEYS, View, frame, reading
from bundlevisor.control.cli.screen.usage_history import KEPT, History, mebibytes, sparkline


def service(id_: str, state: str = "ready", **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "state": state,
        "cpu_percent": 12.4,
        "rss_bytes": 50 << 20,
        "restarts": 2,
        "uptime_s": 75.0,
        "message": "",
        "pid": 7,
        **fields,
    }


def document(*services: dict[str, Any]) -> dict[str, Any]:
    return {
        "app_name": "Notes",
        "app_version": "1.0",
        "pid": 4,
        "uptime_s": 5.0,
        "ipc_host": "127.0.0.1",
        "ipc_port": 28400,
        "dry_run": False,
        "services": list(services),
    }


WHY = "exit 3: cannot open the database: permission denied, and a sentence as long as it likes"
MANY = document(*(service(f"s{number:02}") for number in range(40)))


def test_a_service_has_its_numbers_and_its_reason_whole() -> None:
    failed = service("db", "failed", message=WHY, pid=None)
    lines = frame(document(service("api"), failed), History(), View(), Screen(80, 24, uncoloured))
    assert lines[2].split() == ["api", "ready", "12", "%", "50", "MiB", "2", "1", "min", "15", "s"]
    assert lines[3].split() == ["db", "failed", "-", "-", "2", "-"]
    assert " ".join(" ".join(lines[4:]).split()) == WHY


@pytest.mark.parametrize("chosen", ["", "s20"])
def test_who_sees_some_of_the_services_is_told_so(chosen: str) -> None:
    lines = frame(MANY, History(), View(chosen=chosen), Screen(80, 24, uncoloured))
    shown = [line for line in lines if line[2:].startswith("s")]
    assert f"  and {40 - len(shown)} more" in lines
    few = document(*(service(f"s{number}") for number in range(20)))
    lines = frame(few, History(), View(chosen="s0"), Screen(80, 24, uncoloured))
    assert len(lines) == 23
    assert not any("more" in line for line in lines)


SIZES = [(80, 24), (40, 10), (200, 60), (25, 5), (15, 3), (7, 2), (7, 1)]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_nothing_is_wider_or_longer_than_the_terminal(columns: int, rows: int) -> None:
    history = History()
    for _ in range(2 * KEPT):
        history.add(MANY["services"])
    screen = Screen(columns, rows, uncoloured, "█")
    for chosen in ("s00", "s20", "s39"):
        lines = frame(MANY, history, View(chosen=chosen), screen)
        assert len(lines) < max(2, rows)
        assert max(map(len, lines)) < columns
        assert any(line.startswith(f"> {chosen}"[:4]) for line in lines)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_reason_and_a_text_to_read_fit_as_well(columns: int, rows: int) -> None:
    screen = Screen(columns, rows, uncoloured)
    failed = document(service("db", "failed", message=WHY, pid=None))
    text = reading("log of db", [f"{number}\t{WHY}" for number in range(90)], screen)
    for lines in (frame(failed, History(), View(chosen="db"), screen), text):
        assert len(lines) < max(2, rows)
        assert max(map(len, lines)) < columns
    if rows > 3:
        assert text[0].startswith("log of"[: columns - 4])
        assert text[-2].startswith("89")


def test_a_reason_in_letters_of_two_columns_is_whole_and_fits() -> None:
    why = "設定ファイルを開けません、許可がありません" * 4
    failed = document(service("db", "failed", message=why, pid=None))
    reason = frame(failed, History(), View(), Screen(40, 24, uncoloured))[3:]
    assert "".join(map(str.strip, reason)) == why
    assert max(len(line) + len(line.strip()) for line in reason) < 40


def test_the_curve_stands_beside_the_numbers_in_one_column() -> None:
    history = History()
    for _ in range(2):
        history.add([service("api"), service("db")])
    services = document(service("api"), service("db", uptime_s=1.0))
    lines = frame(services, history, View(), Screen(80, 24, uncoloured, "█"))
    assert {line.index("▂") for line in lines[2:]} == {lines[2].index("1 min") + 12}


def test_the_keys_are_told_until_something_came_of_one() -> None:
    screen = Screen(100, 24, uncoloured)
    assert frame(MANY, History(), View(chosen="s01"), screen)[-1] == KEYS
    told = View(chosen="s01", notice="s01: restarted")
    assert frame(MANY, History(), told, screen)[-1] == "s01: restarted"
    assert KEYS not in frame(MANY, History(), View(), screen)


def test_a_sparkline_is_of_a_core_and_of_more_where_more_was_used() -> None:
    assert sparkline([0, 50, 100]) == "▁▅█"
    assert sparkline([0, 200, 400], "_-#") == "_-#"
    assert sparkline([]) == ""


def test_memory_is_told_as_people_compare_it() -> None:
    assert [mebibytes(count) for count in (0, 13 << 20, 3 << 29)] == ["0 MiB", "13 MiB", "1.5 GiB"]


def test_a_bundle_without_services_is_shown_too() -> None:
    assert len(frame(document(), History(), View(), Screen(80, 24, uncoloured))) == 2
