"""Migrations that cannot even begin: what is said is what is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import bundle, running
from tests.waiting import wait_until


@pytest.mark.skipif(sys.platform == "win32", reason="it has no #! lines, and links need rights")
def test_a_migration_that_cannot_even_begin_says_what_is_missing(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/migrate", "print('migrated')\n")

    def service(id_: str, cwd: str = "", word: str = "bin/migrate", **fields: Any) -> None:
        entry = {"path": "bin/migrate", "cwd": cwd}
        step = {"version": "1", "command": [word]}
        made.service(
            id_,
            binaries={"universal": entry},
            ports=(),
            migrations=[step],
            critical=False,
            **fields,
        )

    service("script", word="bin/of_nobody")
    service("astray", cwd="nowhere")
    service("unmade", cwd="${data}/work")
    service("linked", data_dirs=["store"])
    made.write()
    (made.root / "bin/of_nobody").write_text("#!/nowhere/sh\n")
    (made.root / "bin/of_nobody").chmod(0o755)
    made.app_data.mkdir(mode=0o700, parents=True)
    (tmp_path / "elsewhere").mkdir()
    (made.app_data / "store").symlink_to(tmp_path / "elsewhere")
    with running(made) as run:
        details = wait_until(lambda: _all_failed(run.ready()["details"]), what="all four fail")
        told = {id_: one["message"] for id_, one in details.items()}
    failed = "migration_failed: migration 1: "
    lost = f"{failed}working directory not found: "
    made_by = "name it in data_dirs, which has it made"
    program, work = made.root / "bin/of_nobody", made.app_data / "work"
    assert told == {
        "script": f"{failed}{program} is a script for '/nowhere/sh', which is not there",
        "astray": f"{lost}nowhere (looked in {made.root}/nowhere); is the bundle complete?",
        "unmade": f"{lost}${{data}}/work (looked in {work}); {made_by}",
        "linked": f"service 'linked': path 'store' leads out of {made.app_data} by a link; put the"
        " file itself there.",
    }


def _all_failed(details: dict[str, Any]) -> dict[str, Any]:
    """Return the details once every service has failed: the first is a reason for an answer."""
    return details if all(one["state"] == "failed" for one in details.values()) else {}
