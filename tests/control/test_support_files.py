"""Which files of app-data a support archive has."""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from bundlevisor.control.cli.support_command import EARLIEST, LATEST, entry
from bundlevisor.control.support.collection import logs_in, machine, on_disk


def test_logs_of_one_name_in_two_folders_are_both_there_with_the_parts_before_them(
    tmp_path: Path,
) -> None:
    for place in ("one/out.log", "one/out.log.1", "two/out.log", "logs/gone.log"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(place)
    logs = [str(tmp_path / "one" / "out.log"), str(tmp_path / "two" / "out.log")]
    troubles: list[str] = []
    found = on_disk(
        str(tmp_path),
        str(tmp_path / "events.jsonl"),
        [*logs_in(str(tmp_path)), *logs],
        troubles.append,
    )
    assert {part.name: part.data.decode() for part in found} == {
        place: place for place in ("logs/gone.log", "one/out.log", "one/out.log.1", "two/out.log")
    }
    assert troubles == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_in_place_of_a_file_is_named_and_not_followed(tmp_path: Path) -> None:
    """A service has made it, or whose app-data it is that somebody else looks into."""
    app_data, private = tmp_path / "data", tmp_path / "private"
    (app_data / "logs").mkdir(parents=True)
    private.write_text("nobody's business")
    log, events = app_data / "logs" / "db.log", app_data / "events.jsonl"
    for link in (log, events):
        link.symlink_to(private)
    troubles: list[str] = []
    assert list(on_disk(str(app_data), str(events), [str(log)], troubles.append)) == []
    assert troubles == [
        f"telemetry/events.jsonl: {events}: it is a link",
        f"logs/db.log: {log}: it is a link",
    ]


def test_what_the_machine_does_not_tell_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise FileNotFoundError(2, "No such file or directory", "/proc/meminfo")

    troubles: list[str] = []
    assert json.loads(machine(troubles.append).data)["memory_mib"] > 0
    assert troubles == []
    monkeypatch.setattr(psutil, "virtual_memory", refused)
    assert "memory_mib" not in json.loads(machine(troubles.append).data)
    assert troubles == ["the machine's memory: /proc/meminfo: No such file or directory"]


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (time.gmtime(0), EARLIEST),
        (time.gmtime(1_800_000_000), (2027, 1, 15, 8, 0, 0)),
        (time.gmtime(9_000_000_000), LATEST),
    ],
)
def test_an_archive_is_made_whatever_year_the_clock_says(
    now: time.struct_time, shown: tuple[int, ...]
) -> None:
    with zipfile.ZipFile(io.BytesIO(), "w") as archive:
        archive.writestr(entry("logs/api.log", now), b"line\n")
        assert [one.date_time for one in archive.infolist()] == [shown]
        assert archive.read("logs/api.log") == b"line\n"
