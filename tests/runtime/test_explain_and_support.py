"""``bundlevisor explain`` and ``support``, as installed, with a bundle that fails."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from bundlevisor.testing import Bundle, Runtime
from bundlevisor.testing.spawned import installed

SECRET = "correct-horse-battery"


def failing(folder: Path) -> Bundle:
    """``web`` needs ``api``, which needs ``db``, which ends at once; ``db`` is given a secret.

    That has the name of what is secret of ours as well.
    """
    program = "import os, sys; print('cannot open the store', os.environ['KEY']); sys.exit(3)"
    readiness = {"type": "log_match", "pattern": "^open$", "timeout_ms": 60_000}
    return (
        Bundle(folder)
        .set(
            secrets=[
                {
                    "id": "token",
                    "class": "user_prompt",
                    "prompt": {"label": "Key"},
                    "target": {"type": "env", "name": "KEY"},
                }
            ]
        )
        .script("bin/db", program)
        .service(
            "db", ["bin/db"], secrets=["token"], restart={"policy": "never"}, readiness=readiness
        )
        .service("api", needs=["db"])
        .service("web", needs=["api"])
    )


def ask(*words: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "NO_COLOR": "1"}
    return subprocess.run(
        [*installed(), *words], capture_output=True, text=True, cwd=cwd, env=env, check=False
    )


@pytest.fixture
def failed(tmp_path: Path) -> Bundle:
    """A bundle whose run has come to its failure, and ended."""
    bundle = failing(tmp_path / "home" / "alice")
    with Runtime(bundle) as runtime:
        assert runtime.post("/secrets", {"secrets": {"token": SECRET}}).status == 200
        runtime.wait(lambda: runtime.service("db").state == "failed", "db to fail")
        words = ("explain", "web", "--app-data", str(bundle.app_data))
        told = ask(*words, cwd=tmp_path, home=tmp_path / "home" / "alice")
        assert told.returncode == 1, told.stderr
        assert told.stdout.splitlines()[:2] == [
            told.stdout.splitlines()[0],
            "  what holds it up: db",
        ]
        assert "db has failed" in told.stdout
        assert "cannot open the store" in told.stdout
        assert "bundlevisor start db" in told.stdout
        assert SECRET not in told.stdout
        as_json = json.loads(ask(*words, "--json", cwd=tmp_path, home=tmp_path).stdout)
        assert [link["id"] for link in as_json["links"]] == ["web", "api", "db"]
        note_secret(bundle, "")
        archive = tmp_path / "live.zip"
        made = ("support", "--output", str(archive), "--app-data", str(bundle.app_data))
        assert ask(*made, cwd=tmp_path, home=tmp_path / "home" / "alice").returncode == 0
        names = zipfile.ZipFile(archive).namelist()
        assert {"status.json", "ready.json", "findings.json", "bundle.json"} <= set(names)
        text = everything(archive)
        assert runtime.token not in text
        assert SECRET not in text
    return bundle


def note_secret(bundle: Bundle, more: str) -> None:
    log = bundle.app_data / "logs" / "api.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"an old line with {SECRET}{more}\n")


def everything(archive: Path) -> str:
    with zipfile.ZipFile(archive) as opened:
        parts = [opened.read(name) for name in opened.namelist()]
    return b"\n".join(parts).decode("utf-8", "replace")


def test_an_archive_of_what_has_ended_has_its_story_and_none_of_its_secrets(
    failed: Bundle, tmp_path: Path
) -> None:
    home = tmp_path / "home" / "alice"
    note_secret(failed, f" in {home}/x")
    made = ask(
        "support", "--manifest", str(failed.manifest), "--app-data", str(failed.app_data),
        cwd=tmp_path, home=home,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    archive = tmp_path / made.stdout.split()[0]
    text = everything(archive)
    assert SECRET not in text
    assert "an old line with [secret:token] in ~/x" in text
    assert str(home) not in text
    assert "gave_up" in text
    assert re.search(r"on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", text)
    names = zipfile.ZipFile(archive).namelist()
    assert "secrets.json" not in names
    assert not [name for name in names if "token" in name]
    assert [name for name in names if f"  {name}" not in made.stdout] == ["about.txt"]
    if os.name == "posix":
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_an_archive_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "x.zip"
    app_data = tmp_path / "empty"
    app_data.mkdir()
    words = ("support", "--output", str(target), "--app-data", str(app_data))
    made = ask(*words, cwd=tmp_path, home=tmp_path)
    assert made.returncode == 1
    assert f"cannot write {target}" in made.stderr
    assert sorted(os.listdir(tmp_path)) == ["empty"]


def test_an_archive_is_put_into_the_folder_that_is_named(tmp_path: Path) -> None:
    app_data = tmp_path / "app-data"
    app_data.mkdir()
    for folder in (".", "app-data"):
        words = ("support", "--output", folder, "--app-data", str(app_data))
        made = ask(*words, cwd=tmp_path, home=tmp_path)
        assert made.returncode == 0, made.stderr
        name = made.stdout.partition(" (")[0]
        assert name.startswith(os.path.join(folder, "bundlevisor-support-"))
        assert zipfile.is_zipfile(tmp_path / name)


def test_without_app_data_and_a_bundle_it_says_what_is_missing(tmp_path: Path) -> None:
    made = ask("support", cwd=tmp_path, home=tmp_path)
    assert made.returncode == 2
    assert "bundle.json" in made.stderr
