"""What a migration did is on disk before the record of it: a power cut takes both, or neither."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest

from bundlevisor.actors.prepare import folder_copy
from tests.bundle_maker import bundle, starting

RUN = """
import os
import sys

from bundlevisor.actors.files import files_posix

told = sys.argv.pop(1)
sync, replace = os.fsync, files_posix.replace


def tell(what):
    with open(told, "a") as file:
        print(what, file=file)


def sync_and_tell(fd):
    sync(fd)
    tell(os.fstat(fd).st_ino)


def replace_and_tell(source, target):
    tell(os.path.basename(target))
    replace(source, target)


os.fsync, files_posix.replace = sync_and_tell, replace_and_tell

from bundlevisor.control.__main__ import main

sys.exit(main())
"""
WRITES = """
import os
store = os.path.join(os.environ["APP_DATA_DIR"], "store")
os.mkdir(os.path.join(store, "deep"))
open(os.path.join(store, "deep", "note"), "w").write("made")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the names there are Windows'")
def test_what_a_migration_wrote_is_on_disk_before_the_record_of_it(tmp_path: Path) -> None:
    """It is never run again, and its program need not have synced what it wrote."""
    made = bundle(tmp_path).script("bin/migrate", WRITES)
    step = {"version": "1", "command": ["bin/migrate"], "run_on": "first_install"}
    made.service("db", data_dirs=["store"], migrations=[step]).write()
    told = tmp_path / "told"
    with starting(made, command=(sys.executable, "-c", RUN, str(told))) as run:
        run.await_listening()
        run.until_ready()
    deep = made.app_data / "store" / "deep"
    written = {str(one.stat().st_ino) for one in (deep / "note", deep, deep.parent)}
    before, _, _ = told.read_text().partition("migrations.json")
    assert written <= set(before.split())


@pytest.mark.skipif(sys.platform == "win32", reason="a folder with an open file stays there")
def test_a_folder_that_another_service_removes_meanwhile_need_not_be_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "store" / "deep"
    deep.mkdir(parents=True)
    (deep / "note").write_text("made")

    def removed_meanwhile(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            shutil.rmtree(deep)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", removed_meanwhile)
        folder_copy.have_on_disk(str(deep.parent))
    assert not deep.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no folder is synced there")
def test_folders_in_which_nothing_was_changed_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk empties its memory for each, also where there is nothing to write: some ms."""
    (tmp_path / "store" / "deep").mkdir(parents=True)
    synced: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
        folder_copy.have_on_disk(str(tmp_path / "store"), since=time.time() + 60)
    assert (tmp_path / "store" / "deep").stat().st_ino not in synced
