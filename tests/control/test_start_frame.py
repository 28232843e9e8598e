"""How far a start is, as lines of a terminal."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

from hypothesis import given, strategies as st

from bundlevisor.actors.core.progress import HELD_UP, Progress, Work
from bundlevisor.control.cli.screen.colours import coloured, uncoloured
from bundlevisor.control.cli.screen.start_frame import WORDS, Screen, frame, seconds

MIGRATING = Work(
    service="db",
    phase="migration",
    text="migration 2 (1 of 3): copying rows",
    elapsed_s=12.4,
    usual_s=60.0,
    fraction=0.25,
    remaining_s=48.0,
)
LATE = Work(service="index", phase="probing", text="starting", elapsed_s=9.6, usual_s=2.0)
HELD = Work(service="web-interface", phase="dependencies", text="waiting for db", elapsed_s=0.0)
PROGRESS = Progress(
    fraction=0.42,
    done=1,
    total=4,
    working_on=(MIGRATING, LATE, HELD),
    remaining_s=49.0,
    slowest="db",
    last_line="COPY 250000",
)


def shown(progress: Progress, columns: int = 80, rows: int = 24) -> list[str]:
    return frame(progress, Screen(columns, rows, uncoloured))


def test_a_start_on_a_plain_terminal() -> None:
    assert shown(PROGRESS) == [
        "#############-----------------  42 %  1 of 4 ready, about 49 s left",
        "  db             migrating   migration 2 (1 of 3): copying rows (25 %)  12 s",
        "                 COPY 250000",
        "  index          starting    10 s, usually 2 s",
        "  web-interface  waiting     for db",
    ]


def test_a_narrow_terminal_gets_what_there_is_room_for() -> None:
    assert shown(PROGRESS, columns=40) == [
        " 42 %  1 of 4 ready, about 49 s left",
        "  db             migrating   m...  12 s",
        "                 COPY 250000",
        "  index          ...  10 s, usually 2 s",
        "  web-interface  waiting     for db",
    ]


def test_what_there_is_no_room_for_is_counted() -> None:
    many = tuple(Work(service=f"s{n}", phase="spawning", text="", elapsed_s=1.0) for n in range(30))
    lines = shown(Progress(fraction=0.0, done=0, total=30, working_on=many), rows=10)
    assert len(lines) == 9
    assert lines[-1] == "  and 23 more"


def test_colours_take_no_room() -> None:
    painted = frame(PROGRESS, Screen(80, 24, coloured))
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in painted] == shown(PROGRESS)
    assert all("\x1b[" in line for line in painted)


def test_times_are_short() -> None:
    assert [seconds(n) for n in (0.4, 59.4, 61, 3599, 7300)] == [
        "0 s",
        "59 s",
        "1 min 1 s",
        "59 min 59 s",
        "2 h 1 min",
    ]


def columns_of(line: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in line)


TEXT = st.text(st.sampled_from("ab \t\n\x1b\u202e漢字é"), max_size=120)
WORKS = st.builds(
    Work,
    service=st.text("abc", min_size=1, max_size=60),
    phase=st.sampled_from([*WORDS]),
    text=TEXT,
    elapsed_s=st.floats(0, 1e6),
    usual_s=st.none() | st.floats(0, 1e6),
    fraction=st.none() | st.floats(0, 1),
    remaining_s=st.none() | st.floats(0, 1e6),
)


@given(
    st.lists(WORKS, max_size=12, unique_by=lambda work: work.service),
    st.floats(0, 1),
    TEXT,
    st.integers(20, 200),
    st.integers(4, 60),
)
def test_whatever_is_shown_fits(
    works: list[Work], fraction: float, line: str, columns: int, rows: int
) -> None:
    progress = Progress(
        fraction=fraction,
        done=0,
        total=len(works),
        working_on=tuple(works),
        slowest=next((one.service for one in works if one.phase not in HELD_UP), None),
        last_line=line,
    )
    lines = shown(progress, columns, rows)
    assert len(lines) < rows
    for one in lines:
        assert columns_of(one) < columns
        assert one.isprintable()
