"""A state file that cannot be used is set aside, which is said, and the start goes on.

But for what says what has been run on a user's data: tests/runtime/test_migrations_unknown.py.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, Run, running, wait_until
from tests.faults.scene import half_written, with_all_state
from tests.faults.tally import Tally

KINDS = {
    "ports.json": "runtime/ports.json",
    "secrets.json": "secrets.json",
    "verified.json": "runtime/verified.json",
    "timelines.json": "runtime/timelines.json",
    "instance.json": "runtime/instance.json",
}
TELEMETRY = "telemetry/events.jsonl"

Damage = Callable[[Path], None]


def torn(path: Path) -> None:
    content = path.read_bytes() if path.exists() else b'{"instance_id": "abc"}'
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(500))


def of_another_type(path: Path) -> None:
    path.write_bytes(b'["nothing", "that", 1, "has", {"written": null}]')


def unreadable(path: Path) -> None:
    """A folder in its place: also root cannot read that as a file."""
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "inside").touch()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    """A bundle that has run once, and a copy of all that it has left."""
    folder = tmp_path_factory.mktemp("left")
    made = run_once(folder)
    return made, shutil.copytree(made.app_data, folder / "copy", symlinks=True)


@pytest.fixture
def made(left: tuple[Bundle, Path]) -> Bundle:
    """The bundle with what its first run left, and nothing of later ones."""
    made, copy = left
    shutil.rmtree(made.app_data)
    shutil.copytree(copy, made.app_data, symlinks=True)
    return made


@pytest.mark.parametrize("damage", [torn, empty, garbage, of_another_type, unreadable])
def test_every_kind_of_state_file_may_be_damaged(
    made: Bundle, tally: Tally, damage: Damage
) -> None:
    kinds = {name: place for name, place in KINDS.items() if may_be_lost(name, damage)}
    for place in kinds.values():
        damage(made.app_data / place)
    with running(made) as run:
        run.until_ready()
        told = wait_until(lambda: all_told(run, len(kinds)), what=f"{len(kinds)} files set aside")
        for name, place in kinds.items():
            (aside,) = (made.app_data / place).parent.glob(f"{name}.corrupt-*")
            assert any(aside.name in reason for reason in told), f"no event for {name}"
            wait_until(partial(heard, run, aside.name), what=f"a word on {name}")
    tally.note(f"{len(kinds)} kinds of state file {word(damage)}, next start")


def test_what_a_killed_writer_left_beside_a_file_is_removed_by_the_next_start(
    tmp_path: Path, tally: Tally
) -> None:
    made = with_all_state(tmp_path)
    elsewhere = "private/deep/token"
    made.set(ipc={**made.document["ipc"], "auth_token_path": elsewhere}).write()
    for folder in (made.app_data / "runtime", (made.app_data / elsewhere).parent):
        folder.mkdir(parents=True)
    mine = made.app_data / ".notes.new"
    mine.touch()
    for place in (*KINDS.values(), elsewhere):
        path = made.app_data / place
        path.with_name(f".{path.name}.0123456789ab.new").write_bytes(b'{"secrets": {"a')
    planted = set(half_written(made.app_data)) - {mine}
    assert len(planted) == len(KINDS) + 1
    with running(made):
        left = set(half_written(made.app_data))  # and what this run is writing just now
        assert not planted & left
        assert mine in left
    tally.note("state file half written by a killed runtime, next start")


def run_once(folder: Path) -> Bundle:
    """Leave a record of an instance too, as if runtime and guardian had died at once."""
    made = with_all_state(folder)
    with running(made) as run:
        run.until_ready()
        record = made.app_data / KINDS["instance.json"]
        timelines = made.app_data / KINDS["timelines.json"]
        wait_until(lambda: record.exists() and timelines.exists(), what="all state")
        content = record.read_bytes()
        run.kill(signal.SIGTERM)
        run.wait_gone()
    record.write_bytes(content)
    return made


def may_be_lost(name: str, damage: Damage) -> bool:
    """Secrets that only cannot be read are still there: see the next test."""
    return name != "secrets.json" or damage is not unreadable


def all_told(run: Run, count: int) -> list[str]:
    told = [e["details"]["reason"] for e in run.telemetry() if e["event"] == "state_set_aside"]
    return told if len(told) >= count else []


def heard(run: Run, text: str) -> bool:
    """Whether the user was told so: lines are written beside the work."""
    return text in run.stderr


def word(damage: Damage) -> str:
    return damage.__name__.replace("_", " ")


def test_secrets_that_cannot_be_read_are_not_replaced_and_hold_back_only_who_needs_them(
    tmp_path: Path, tally: Tally
) -> None:
    made = with_all_state(tmp_path)
    made.app_data.mkdir()
    unreadable(made.app_data / "secrets.json")
    with running(made) as run:
        wait_until(lambda: run.service("talker")["ready"], what="who needs no secret")
        assert run.service("db")["waiting_for"] == ["session"]
        wait_until(partial(heard, run, "secrets.json cannot be read"), what="a word on them")
        assert (made.app_data / "secrets.json" / "inside").exists()
    tally.note("secrets.json unreadable: left as it is, its services wait")


@pytest.mark.parametrize("damage", [torn, empty, garbage])
def test_telemetry_goes_on_behind_what_is_damaged(
    tmp_path: Path, tally: Tally, damage: Damage
) -> None:
    """A log is not set aside: its whole lines are still good, and the numbers go on."""
    made = with_all_state(tmp_path)
    path = made.app_data / TELEMETRY
    path.parent.mkdir(parents=True)
    early = b'{"ts":"2026-01-01T00:00:00.000Z","seq":7,"event":"early"}\n'
    torn_line = tmp_path / "line"
    torn_line.write_bytes(early.replace(b"7", b"8"))
    damage(torn_line)
    path.write_bytes(early + torn_line.read_bytes())
    with running(made) as run:
        run.until_ready()
        run.get("/events?after=7&wait=30")  # the first of this run is written beside the start
        events = run.get("/events?after=0", headers={"Accept": "application/json"}).json()
    seen = [(event["seq"], event["event"]) for event in events["events"]]
    assert seen[:2] == [(7, "early"), (8, "runtime_start")]
    tally.note(f"telemetry with a last line that is {word(damage)}, next start")


def test_telemetry_that_cannot_be_written_stops_nothing(tmp_path: Path, tally: Tally) -> None:
    made = with_all_state(tmp_path)
    path = made.app_data / TELEMETRY
    path.parent.mkdir(parents=True)
    unreadable(path)
    with running(made) as run:
        run.until_ready()
        said = f"telemetry file {path} cannot be written"
        wait_until(partial(heard, run, said), what="a word on it")
    tally.note("telemetry unreadable: said, and nothing else", leftovers=len(run.leftovers()))
