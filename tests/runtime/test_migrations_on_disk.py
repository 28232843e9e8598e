"""What a migration did is on disk before the record of it: a power cut takes both, or neither."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, starting

RUN = """
import os
import sys

from bundlevisor.actors.files import files_posix

told = sys.argv.pop(1)
sync, replace = files_posix.sync, files_posix.replace


def tell(what):
    with open(told, "a") as file:
        print(what, file=file)


def sync_and_tell(fd):
    sync(fd)
    tell(os.fstat(fd).st_ino)


def replace_and_tell(source, target):
    tell(os.path.basename(target))
    replace(source, target)


files_posix.sync, files_posix.replace = sync_and_tell, replace_and_tell

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
