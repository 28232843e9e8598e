"""File secrets in a real run: for the user alone, there while somebody uses them, then gone."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from bundlevisor.actors.secrets.files import SecretFiles
from tests.bundle_maker import bundlevisor, running, wait_until
from tests.secrets.secret_bundle import (
    environments,
    file_secret,
    give,
    places_that_hold,
    secret,
    with_secrets,
)

READS = """
import os, sys, time
sys.path.insert(0, {root!r})
from tests.programs.observed import record, serve, start
start()
path = os.environ["SECRET_FILE_CERT"]
record("file", content=open(path).read(), mode=os.stat(path).st_mode & 0o777)
serve()
"""
LOOKS_AND_SLEEPS = """
import os, time
with open(os.path.join(os.environ["APP_DATA_DIR"], "lengths"), "a") as seen:
    print(len(open(os.environ["SECRET_FILE_CERT"]).read()), file=seen)
time.sleep(600)
"""
SOURCE = READS.format(root=str(Path(__file__).parent.parent.parent))


def test_the_file_is_there_for_its_user_before_the_service_and_gone_after_it(
    tmp_path: Path,
) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "keys/cert.pem")).script("bin/r", SOURCE)
    made.service("api", "bin/r", secrets=["cert"]).service("other", "reports_environment").write()
    with running(made) as run:
        file = run.app_data / "keys" / "cert.pem"
        wait_until(lambda: run.service("other")["ready"], what="other ready")
        assert not file.exists()
        give(run, cert="line one\nline two\n")
        run.until_ready()
        (seen,) = run.events("api", "file")
        assert seen["content"] == "line one\nline two\n"
        if os.name == "posix":
            assert seen["mode"] == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert not [name for name in environments(run, "other")[0] if "SECRET" in name]
        assert run.post("/services/api/stop?wait=60").json()["state"] == "stopped"
        assert not file.exists()
        run.post("/services/api/start?wait=60")
        assert file.exists()
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert not file.exists()


def test_a_shared_file_stays_until_its_last_user_has_stopped(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "cert.pem"))
    made.service("one", secrets=["cert"]).service("two", secrets=["cert"]).write()
    with running(made) as run:
        give(run, cert="the content")
        run.until_ready()
        file = run.app_data / "cert.pem"
        run.post("/services/one/stop?wait=60")
        assert file.read_text() == "the content"
        run.post("/services/two/stop?wait=60")
        assert not file.exists()


def test_a_new_value_is_what_the_restarted_service_reads(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "${data}/cert.pem"))
    made.script("bin/r", SOURCE).service("api", "bin/r", secrets=["cert"]).write()
    with running(made) as run:
        give(run, cert="first")
        run.until_ready()
        give(run, cert="second")
        wait_until(lambda: len(run.events("api", "file")) == 2, what="the second start")
        assert [event["content"] for event in run.events("api", "file")] == ["first", "second"]


def test_one_among_the_data_is_not_copied_before_an_upgrade_and_not_put_back_after_it(
    tmp_path: Path,
) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "store/cert.pem"))
    made.script("bin/migrate", LOOKS_AND_SLEEPS)
    made.service("api", secrets=["cert"], data_dirs=["store"]).write()
    with running(made) as run:
        give(run, cert="first value")
        run.until_ready()
        wait_until((run.app_data / "migrations.json").exists, what="the version is written down")
    upgrade = {"version": "2", "command": ["bin/migrate"], "run_on": "upgrade"}
    made.set(app={**made.document["app"], "version": "2.0.0"})
    made.service("api", secrets=["cert"], data_dirs=["store"], migrations=[upgrade]).write()
    with running(made) as run:
        lengths = run.app_data / "lengths"
        wait_until(lambda: lengths.exists() and lengths.read_text(), what="it is migrated")
        assert places_that_hold(run, "first value") == [str(run.app_data / "store" / "cert.pem")]
        give(run, cert="the second value")
        wait_until(lambda: len(lengths.read_text().split()) == 2, what="it is migrated again")
        assert lengths.read_text().split() == ["11", "16"]
        assert len(run.await_told("migration_rolled_back", "api")) == 1
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert not (run.app_data / "store" / "cert.pem").exists()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("content", ["the content", "a line of a big one\n" * 40_000])
def test_the_guardian_removes_the_files_of_a_killed_runtime(tmp_path: Path, content: str) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "keys/cert.pem"))
    made.service("api", secrets=["cert"]).write()
    with running(made) as run:
        give(run, cert=content)
        run.until_ready()
        file = run.app_data / "keys" / "cert.pem"
        assert file.read_text() == content
        run.kill(signal.SIGKILL)
        run.wait_gone()
        wait_until(lambda: not file.exists(), what="the end of the file")
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert (run.app_data / "secrets.json").exists()


class Told:
    """An owner that only listens."""

    def __init__(self) -> None:
        self.owned: dict[str, bytes] = {}

    def own(
        self, path: str, containing: bytes = b"", *, last: bool = False, named: bool = False
    ) -> None:
        assert last
        assert not os.path.exists(path)
        self.owned[path] = containing

    def disown(self, path: str) -> None:
        del self.owned[path]


def test_the_guardian_is_told_of_a_big_file_in_few_words(tmp_path: Path) -> None:
    """What its channel does not take at once is lost with a runtime that is killed then."""
    told, content, path = Told(), b"a line of a big one\n" * 40_000, str(tmp_path / "cert.pem")
    files = SecretFiles(told, lambda _: None)
    files.place("api", {path: content})
    assert (tmp_path / "cert.pem").read_bytes() == content
    assert content.startswith(told.owned[path])
    assert 16 < len(told.owned[path]) <= 4096
    files.remove_for("api")
    assert told.owned == {}


def test_what_a_power_cut_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "keys/cert.pem"), secret("never"))
    made.service("api", secrets=["cert", "never"]).write()
    made.app_data.mkdir()
    (made.app_data / "secrets.json").write_text('{"secrets": {"cert": "the content"}}')
    for name in ("cert.pem", ".cert.pem.0123456789ab.new", ".other.pem.0123456789ab.new"):
        (made.app_data / "keys").mkdir(exist_ok=True)
        (made.app_data / "keys" / name).write_text("the content")
    with running(made) as run:
        assert run.service("api")["waiting_for"] == ["never"]
        assert os.listdir(run.app_data / "keys") == [".other.pem.0123456789ab.new"]


def test_a_file_that_leaves_app_data_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "../cert.pem")).service("a", secrets=["cert"])
    found = bundlevisor("validate", "--manifest", str(made.write().path))
    assert found.returncode == 2
    assert "path_escapes_root" in found.stdout + found.stderr


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_a_link_that_leads_out_of_app_data_fails_only_the_service(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "keys/cert.pem"))
    made.service("api", secrets=["cert"]).service("other").write()
    outside = tmp_path / "outside"
    outside.mkdir()
    made.app_data.mkdir()
    (made.app_data / "keys").symlink_to(outside)
    with running(made) as run:
        give(run, cert="the content")
        wait_until(lambda: run.service("api")["state"] == "failed", what="the failure")
        assert "leads out" in run.service("api")["message"]
        assert not list(outside.iterdir())
        run.until_service_ready("other")


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "cert.pem"))
    made.service("api", secrets=["cert"], restart={"backoff_ms": 20, "intensity": 1000}).write()
    made.app_data.mkdir()
    (made.app_data / "cert.pem").mkdir()
    with running(made) as run:
        give(run, cert="the content")
        wait_until(lambda: run.service("api")["restarts"], what="a second attempt")
        (run.app_data / "cert.pem").rmdir()
        run.until_ready()
        assert (run.app_data / "cert.pem").read_text() == "the content"


@pytest.mark.permissions
@pytest.mark.skipif(os.name == "nt", reason="modes of folders are POSIX'")
def test_a_file_that_cannot_be_removed_is_told_and_tried_again_at_the_next_start(
    tmp_path: Path,
) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "keys/cert.pem"))
    made.service("api", secrets=["cert"], restart={"backoff_ms": 20, "intensity": 1000}).write()
    file = made.app_data / "keys" / "cert.pem"
    told = f"a file with a secret could not be removed: {file}: Permission denied"
    with running(made) as run:
        give(run, cert="the content")
        run.until_ready()
        file.parent.chmod(0o500)
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert file.exists()
        assert run.stderr.count(told) == 1
        assert "the content" not in run.stderr
    with running(made) as run:
        run.until_said(told)
        file.parent.chmod(0o700)
        run.until_ready()
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert not file.exists()
