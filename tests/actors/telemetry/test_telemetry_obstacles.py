"""The events' file where its writer is killed, too slow, at its end, or without a place."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from bundlevisor.actors.telemetry import event, event_file, writer as telemetry
from bundlevisor.actors.telemetry.event import Event
from bundlevisor.actors.telemetry.writer import Telemetry
from tests.actors.telemetry.conftest import lines
from tests.waiting import WITHIN, wait_until

PATIENCE = WITHIN


WRITER = """
import sys
from bundlevisor.actors.telemetry.writer import Telemetry
telemetry = Telemetry(sys.argv[1], print)
number = 0
while True:
    number += 1
    telemetry.emit("tick", "api", number=number, text="x" * 100)
    if number % 500 == 0:
        telemetry.wait(telemetry.last_seq + 400, 1.0)
"""


def test_what_cannot_be_written_anywhere_stops_nothing(tmp_path: Path, reports: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    writer = Telemetry(str(tmp_path / "file" / "events.jsonl"), reports.append)
    writer.emit("one")
    assert writer.wait(0, PATIENCE)
    assert writer.dropped == 1
    assert [event.event for event in writer.page(0)] == ["one"]
    assert writer.close(PATIENCE)
    assert len(reports) >= 1


def test_the_last_ones_that_were_dropped_are_told_at_the_end(
    tmp_path: Path, reports: list[str]
) -> None:
    obstacle = tmp_path / "folder"
    obstacle.write_text("in the way")
    writer = Telemetry(str(obstacle / "events.jsonl"), reports.append)
    writer.emit("last")
    assert writer.wait(0, PATIENCE)
    obstacle.unlink()
    obstacle.mkdir()
    assert writer.close(PATIENCE)
    (told,) = lines(obstacle / "events.jsonl")
    assert (told["event"], told["details"]) == ("telemetry_dropped", {"count": 1})


def test_an_event_after_the_end_is_counted_and_not_an_error(path: Path) -> None:
    writer = Telemetry(str(path), print)
    assert writer.close(PATIENCE)
    writer.emit("late")
    assert writer.dropped == 1
    assert writer.close(PATIENCE)


@pytest.mark.parametrize("attempt", range(5))
def test_a_killed_writer_leaves_every_line_but_the_last_whole(path: Path, attempt: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    enough = 100_000 * (attempt + 1)
    wait_until(
        lambda: path.exists() and path.stat().st_size >= enough,
        PATIENCE,
        "lines to be killed among",
    )
    child.kill()
    child.wait()
    *whole, rest = path.read_bytes().split(b"\n")
    seqs = [msgspec.json.decode(line)["seq"] for line in whole]
    assert seqs == list(range(1, len(seqs) + 1))
    assert rest == b"" or not rest.endswith(b"}")
    assert telemetry.append(str(path), "runtime_died", None, {"left": 3})
    writer = Telemetry(str(path), print)
    writer.emit("runtime_start")
    assert writer.wait(len(seqs) + 1, PATIENCE)
    assert [(event.seq, event.event) for event in writer.page(len(seqs) - 1)] == [
        (len(seqs), "tick"),
        (len(seqs) + 1, "runtime_died"),
        (len(seqs) + 2, "runtime_start"),
    ]
    assert writer.close(PATIENCE)


def test_a_flood_that_outruns_the_disk_is_bounded(path: Path) -> None:
    writer = Telemetry(str(path), print)
    stuck = threading.Event()
    write = writer._file._os_write
    writer._file._os_write = lambda fd, data: write(fd, data) if stuck.wait(PATIENCE) else 0
    for number in range(telemetry.WAITING + 500):
        writer.emit("flood", None, number=number)
    assert writer.dropped >= 400
    stuck.set()
    assert writer.close(PATIENCE)
    written = lines(path)
    told = [line["details"]["count"] for line in written if line["event"] == "telemetry_dropped"]
    assert sum(told) == writer.dropped
    kept = [line["details"]["number"] for line in written if line["event"] == "flood"]
    assert len(kept) == telemetry.WAITING + 500 - writer.dropped
    assert kept[-1] == telemetry.WAITING + 499
    assert kept == sorted(kept)


def test_an_older_file_without_numbers_is_not_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    Path(f"{path}.1").write_bytes(b'{"ts":"2024-11-29T13:01:21Z","event":"start"}\n' * 20_000)
    path.write_bytes(b'{"ts":"2026-11-29T13:01:21Z","seq":1,"event":"runtime_start"}\n')
    looked_at: list[bytes] = []

    def decode(line: bytes) -> Event | None:
        looked_at.append(line)
        return event.decode(line)

    def number(line: bytes) -> int | None:
        looked_at.append(line)
        return event.number(line)

    monkeypatch.setattr(event_file, "END", 4096)
    monkeypatch.setattr(event_file, "decode", decode)
    monkeypatch.setattr(event_file, "number", number)
    assert [one.event for one in event_file.events_after(str(path), 0)] == ["runtime_start"]
    assert len(looked_at) < 200
