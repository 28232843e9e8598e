"""Migrations of a running bundle: bounds, ways back, and the recorded version of the app."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until

SLEEPS = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("it begins", flush=True)
time.sleep(600)
"""
IS_KILLED = """
import os
print("connecting: no error so far", "INFO table 1", "INFO table 2", sep="\\n", flush=True)
os.kill(os.getpid(), 9)
"""
RUINS_AND_FAILS = """
import os, sys
open(os.path.join(os.environ["APP_DATA_DIR"], "{place}", "note"), "w").write("after")
sys.exit("no luck")
"""
RUINS_AND_SLEEPS = """
import os, time
open(os.path.join(os.environ["APP_DATA_DIR"], "store", "note"), "w").write("half")
print("half done", flush=True)
time.sleep(600)
"""
RUINS_ITS_WAY_BACK = """
import os, sys
os.mkfifo(os.path.join(os.environ["APP_DATA_DIR"], "store.restoring"))
sys.exit("no luck")
"""
NOTES_ITS_STEP = """
import os, sys, time
with open(os.path.join(os.environ["APP_DATA_DIR"], "store", "note"), "a") as note:
    note.write(sys.argv[1])
print("at", sys.argv[1], flush=True)
time.sleep(float(sys.argv[2]))
"""
NOTES = "print('migrated', flush=True)\n"
NOTES_THE_COPY = """
import os
print(os.listdir(os.path.join(os.environ["APP_DATA_DIR"], "snapshots")), flush=True)
"""


def migration(version: str, run_on: str, **fields: Any) -> dict[str, Any]:
    return {"version": version, "command": ["bin/migrate"], "run_on": run_on, **fields}


def release(made: Bundle, version: str, source: str, *migrations: dict[str, Any]) -> Bundle:
    """Make the bundle this version, with these migrations of its service ``db``."""
    name = made.document["app"]["name"]
    made.set(app={"name": name, "version": version}).script("bin/migrate", source)
    return made.service("db", data_dirs=["store"], migrations=list(migrations)).write()


def named(run: Run, event: str) -> list[dict[str, Any]]:
    return [one for one in run.telemetry() if one["event"] == event]


def recorded_version(made: Bundle) -> str:
    path = made.app_data / "migrations.json"
    return str(json.loads(path.read_text())["app_version"]) if path.exists() else ""


def run_once(made: Bundle) -> None:
    """Run the bundle until it is ready and its version is written down."""
    version = made.document["app"]["version"]
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: recorded_version(made) == version, what="the version")


def killed_in_an_upgrade(folder: Path) -> tuple[Bundle, Path]:
    """Return a bundle whose upgrade was cut short, and the note that it has half changed."""
    made = release(bundle(folder), "1.0.0", NOTES)
    run_once(made)
    note = made.app_data / "store" / "note"
    note.write_text("before")
    release(made, "2.0.0", RUINS_AND_SLEEPS, migration("2", "upgrade"))
    with running(made) as run:
        wait_until(lambda: "half done" in run.log("db"), what="the middle of the migration")
        assert note.read_text() == "half"
        run.kill()
        run.wait_gone()
        wait_until(lambda: not run.leftovers(), what="no process left")
    return made, note


def test_a_migration_has_the_time_that_the_bundle_gives_it(tmp_path: Path) -> None:
    made = release(bundle(tmp_path), "1.0.0", SLEEPS, migration("1", "always", timeout_ms=10_000))
    with running(made) as run:
        answer = run.ready()
        message = answer["details"]["db"]["message"]
        said = "migration_failed: migration 1: not done within 10 s; it last said: it begins"
        assert said in message
        last = run.await_told("migration_failed", "db")[0]["last_lines"]
        assert last.splitlines() == ["it begins"]
        left = [process for process in run.leftovers() if "-c" in process.cmdline()]
        assert all("time.sleep(600)" not in " ".join(process.cmdline()) for process in left)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals there")
def test_a_migration_that_was_killed_is_told_with_the_signal_and_what_it_said_last(
    tmp_path: Path,
) -> None:
    made = release(bundle(tmp_path), "1.0.0", IS_KILLED, migration("1", "always"))
    with running(made) as run:
        told = run.ready()["details"]["db"]["message"]
        how = "migration_failed: migration 1: killed by SIGKILL; it last said: INFO table 2"
        assert told == how


def test_the_first_migration_of_an_app_that_had_none_finds_an_upgrade(tmp_path: Path) -> None:
    made = release(bundle(tmp_path), "1.0.0", NOTES)
    run_once(made)
    release(made, "1.1.0", NOTES, migration("1.1.0", "upgrade"), migration("new", "first_install"))
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: "migrated" in run.log("db"), what="what it said")
        assert run.log("db").count("migrated") == 1
        wait_until(lambda: named(run, "migration_applied"), what="the event")
        assert [one["details"]["version"] for one in named(run, "migration_applied")] == ["1.1.0"]


@pytest.mark.permissions
@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
def test_no_migration_is_run_while_the_record_of_them_cannot_be_read(tmp_path: Path) -> None:
    """As after a run by root: taken for a first install, the data would be made anew."""
    made = release(bundle(tmp_path), "1.0.0", NOTES, migration("1", "first_install"))
    made.service("other").write()
    run_once(made)
    record = made.app_data / "migrations.json"
    record.chmod(0)
    with running(made) as run:
        message = run.ready()["details"]["db"]["message"]
        assert f"{record}: Permission denied, so it is not known which" in message
        wait_until(lambda: run.service("other")["ready"], what="the other service")
        said = "migrations.json could not be written"
        wait_until(lambda: said in run.stderr, what="that the app's version is not kept either")
        assert run.log("db").count("migrated") == 1
    record.chmod(0o600)
    with running(made) as run:
        run.until_ready()
        assert run.log("db").count("migrated") == 1


def test_a_downgrade_is_told_whether_there_are_migrations_or_not(tmp_path: Path) -> None:
    made = release(bundle(tmp_path), "2.0.0", NOTES)
    run_once(made)
    release(made, "1.0.0", NOTES)
    with running(made) as run:
        wait_until(lambda: named(run, "app_downgraded"), what="the event")
        assert named(run, "app_downgraded")[0]["details"] == {"from": "2.0.0", "to": "1.0.0"}
        wait_until(lambda: "the app is older than its data" in run.stderr, what="the sentence")


def test_a_failed_upgrade_does_not_count_as_seen(tmp_path: Path) -> None:
    made = release(bundle(tmp_path), "1.0.0", NOTES).service("other").write()
    run_once(made)
    release(made, "2.0.0", "import sys; sys.exit(3)\n", migration("2", "upgrade"))
    with running(made) as run:
        assert run.ready()["details"]["db"]["state"] == "failed"
        wait_until(lambda: run.service("other")["ready"], what="the other service")
    assert recorded_version(made) == "1.0.0"


@pytest.mark.skipif(os.name == "nt", reason="named pipes")
def test_why_an_upgrade_failed_is_told_also_where_its_data_cannot_be_put_back(
    tmp_path: Path,
) -> None:
    made = release(bundle(tmp_path), "1.0.0", NOTES)
    run_once(made)
    release(made, "2.0.0", RUINS_ITS_WAY_BACK, migration("2", "upgrade"))
    with running(made) as run:
        message = run.ready()["details"]["db"]["message"]
    assert message.startswith(
        "migration_failed: migration 2: exit 1: no luck; its data could not be put back, which the"
        f" next start tries again: {made.app_data / 'store.restoring'}: "
    )


@pytest.mark.parametrize("place", [".", "runtime"])
def test_data_among_the_runtime_s_files_is_left_where_it_is(tmp_path: Path, place: str) -> None:
    """Its copy would hold itself, and putting it back would take the runtime's files away."""
    made = release(bundle(tmp_path), "1.0.0", NOTES)
    run_once(made)
    release(made, "2.0.0", RUINS_AND_FAILS.format(place=place), migration("2", "upgrade"))
    made.service("db", data_dirs=[place], migrations=[migration("2", "upgrade")]).write()
    with running(made) as run:
        assert run.ready()["details"]["db"]["state"] == "failed"
        wait_until(lambda: named(run, "migration_failed"), what="the event")
        skipped = named(run, "migration_snapshot_skipped")[0]["details"]["reason"]
        assert skipped == f"the folder '{place}' also holds files of the runtime"
        assert (made.app_data / place / "note").read_text() == "after"
        assert (made.app_data / "runtime" / "instance.json").exists()
        assert run.get("/healthz").status == 200
    assert not (made.app_data / "snapshots").exists()


def test_the_copy_of_the_data_goes_when_the_upgraded_service_has_been_ready(tmp_path: Path) -> None:
    made = release(bundle(tmp_path), "1.0.0", NOTES)
    run_once(made)
    release(made, "2.0.0", NOTES_THE_COPY, migration("2", "upgrade"))
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: "'db'" in run.log("db"), what="what it has seen")
        copies = made.app_data / "snapshots"
        wait_until(lambda: not [*copies.glob("db*")], what="the copy is removed")


def test_an_app_that_goes_back_finds_the_data_that_an_upgrade_left_half_done(
    tmp_path: Path,
) -> None:
    """The older version has no migrations at all, and still the data is put back."""
    made, note = killed_in_an_upgrade(tmp_path)
    release(made, "1.0.0", NOTES)
    with running(made) as run:
        run.until_ready()
        assert note.read_text() == "before"
        wait_until(lambda: named(run, "migration_rolled_back"), what="the event")
        wait_until(lambda: named(run, "ready"), what="the end of the start")
    assert not (made.app_data / "snapshots" / "db").exists()


@pytest.mark.parametrize("end", ["in order", "kill -9"])
def test_an_upgrade_that_is_put_back_is_run_again_from_its_first_migration(
    tmp_path: Path, end: str
) -> None:
    """The first had been written down as run; its work has gone with the data."""

    def steps(seconds: float) -> list[dict[str, Any]]:
        first = migration("2", "upgrade", command=["bin/migrate", "a", "0"])
        return [first, migration("3", "upgrade", command=["bin/migrate", "b", str(seconds)])]

    made = release(bundle(tmp_path), "1.0.0", NOTES)
    run_once(made)
    note = made.app_data / "store" / "note"
    release(made, "2.0.0", NOTES_ITS_STEP, *steps(600.0))
    with running(made) as run:
        wait_until(lambda: "at b" in run.log("db"), what="the middle of the second migration")
        assert note.read_text() == "ab"
        if end == "kill -9":
            run.kill()
        else:
            run.post("/shutdown")
        run.wait_gone()
        wait_until(lambda: not run.leftovers(), what="no process left")
    release(made, "2.0.0", NOTES_ITS_STEP, *steps(0.0))
    for _start in range(2):
        with running(made) as run:
            run.until_ready()
            assert note.read_text() == "ab"
    record = json.loads((made.app_data / "migrations.json").read_text())
    assert record["applied"]["db"] == ["2", "3"]


def test_the_log_of_a_failed_upgrade_is_kept_where_it_lies_among_the_data(tmp_path: Path) -> None:
    made = release(bundle(tmp_path), "1.0.0", NOTES)
    fields: dict[str, Any] = {"data_dirs": ["store"], "log_dir": "store/logs"}
    run_once(made.service("db", **fields).write())
    failing = RUINS_AND_FAILS.format(place="store")
    release(made, "2.0.0", failing, migration("2", "upgrade"))
    made.service("db", **fields, migrations=[migration("2", "upgrade")]).write()
    log = made.app_data / "store" / "logs" / "db.log"
    with running(made) as run:
        assert run.ready()["details"]["db"]["state"] == "failed"
        wait_until(lambda: named(run, "migration_rolled_back"), what="the way back")
        assert not (made.app_data / "store" / "note").exists()
        assert log.read_text() == "no luck\n"
        made.script("bin/migrate", NOTES).write()
        assert run.post("/services/db/start?wait=20").status == 202
        run.until_ready()
        wait_until(lambda: log.read_text() == "no luck\nmigrated\n", what="what follows")
