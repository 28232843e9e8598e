"""What a service needs ends while the service is still being prepared."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import bundle, running, wait_until

OPENS = """
import os, time
while not os.path.exists(r"{gate}"):
    time.sleep(0.02)
print("open", flush=True)
time.sleep(600)
"""
MIGRATES = """
import os, time
print("migrating", flush=True)
while not os.path.exists(r"{gate}"):
    time.sleep(0.02)
"""
NEEDS = """
import os, sys, time
print("migrating", flush=True)
while not os.path.exists(r"{lost}"):
    time.sleep(0.02)
if not os.path.exists(r"{gate}"):
    sys.exit("no connection")
"""


@pytest.mark.parametrize("how", ["crash", "restart"])
def test_it_is_spawned_once_that_is_ready_again(tmp_path: Path, how: str) -> None:
    opened, migrated = tmp_path / "opened", tmp_path / "migrated"
    made = bundle(tmp_path).script("bin/open", OPENS.format(gate=opened))
    made.script("bin/migrate", MIGRATES.format(gate=migrated))
    made.service(
        "db", "bin/open", ports=(), readiness={"type": "log_match", "pattern": "^open"}, health=None
    )
    step = {"version": "1", "command": ["bin/migrate"]}
    made.service("api", deps=["db"], migrations=[step]).write()
    opened.touch()
    with running(made) as run:
        wait_until(lambda: "migrating" in run.log("api"), what="the migration")
        opened.unlink()
        if how == "crash":
            psutil.Process(run.service("db")["pid"]).kill()
        else:
            run.post("/services/db/restart")
        wait_until(lambda: run.service("db")["state"] == "starting", what="the next start of db")
        migrated.touch()
        wait_until(lambda: run.service("api")["state"] == "waiting", what="api to wait")
        assert run.service("api")["waiting_for"] == ["db"]
        opened.touch()
        run.until_ready()
        assert len(made.events("api", "started")) == 1
        assert run.service("api")["restarts"] == 0


def test_a_migration_that_fails_because_of_that_is_run_again(tmp_path: Path) -> None:
    opened, lost = tmp_path / "opened", tmp_path / "lost"
    opened.touch()
    made = bundle(tmp_path).script("bin/open", OPENS.format(gate=opened))
    made.script("bin/migrate", NEEDS.format(gate=opened, lost=lost))
    made.service(
        "db", "bin/open", ports=(), readiness={"type": "log_match", "pattern": "^open"}, health=None
    )
    step = {"version": "1", "command": ["bin/migrate"]}
    made.service("api", deps=["db"], migrations=[step]).write()
    with running(made) as run:
        wait_until(lambda: "migrating" in run.log("api"), what="the migration")
        opened.unlink()
        psutil.Process(run.service("db")["pid"]).kill()
        wait_until(lambda: run.service("db")["state"] == "starting", what="the next start of db")
        lost.touch()
        wait_until(lambda: run.service("api")["state"] == "waiting", what="api to wait")
        assert run.service("api")["waiting_for"] == ["db"]
        opened.touch()
        run.until_ready()
        assert run.log("api").count("migrating") == 2
        assert len(made.events("api", "started")) == 1
        assert run.service("api")["restarts"] == 0
