"""Migrations of data that lies elsewhere, as in the database of another service: no way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import bundle, running, wait_until

NOTES = """
import os, sys
with open(os.path.join(os.environ["APP_DATA_DIR"], "database"), "a") as database:
    database.write(sys.argv[1])
sys.exit("no luck" if sys.argv[1] == "{failing}" else 0)
"""


def step(version: str, note: str) -> dict[str, Any]:
    return {"version": version, "command": ["bin/migrate", note], "run_on": "upgrade"}


@pytest.mark.parametrize("again", ["start", "run"])
def test_what_was_run_before_one_that_failed_is_not_run_again(tmp_path: Path, again: str) -> None:
    made = bundle(tmp_path).script("bin/migrate", NOTES.format(failing="b"))
    app = {"name": made.document["app"]["name"]}
    made.set(app={**app, "version": "1.0.0"}).service("api").write()
    with running(made) as run:
        run.until_ready()
        wait_until((made.app_data / "migrations.json").exists, what="the version")
    made.set(app={**app, "version": "2.0.0"})
    made.service("api", migrations=[step("2", "a"), step("3", "b")]).write()
    database = made.app_data / "database"
    with running(made) as run:
        assert run.ready()["details"]["api"]["state"] == "failed"
        assert database.read_text() == "ab"
        if again == "start":
            made.script("bin/migrate", NOTES.format(failing="none")).write()
            assert run.post("/services/api/start?wait=20").status == 202
            run.until_ready()
    made.script("bin/migrate", NOTES.format(failing="none")).write()
    with running(made) as run:
        run.until_ready()
    assert database.read_text() == "abb"
    record = json.loads((made.app_data / "migrations.json").read_text())
    assert record["applied"]["api"] == ["2", "3"]
