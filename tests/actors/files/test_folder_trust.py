"""App-data is the user's alone: others could replace what the runtime keeps in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import absent

pytest.importorskip("fcntl", reason="access lists are not looked at on Windows")
assert sys.platform != "win32"

from bundlevisor.actors.files.files_posix import distrust  # noqa: E402

as_root = absent.unless(os.geteuid() == 0, "root, who can give a folder away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app-data"
    made.mkdir(mode=0o700)
    return made


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o711])
def test_a_folder_of_ours_is_trusted(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert distrust(str(folder)) == ("", "")


@pytest.mark.parametrize("mode", [0o770, 0o775, 0o707, 0o777, 0o1777])
def test_one_that_others_can_write_in_is_doubted(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    refusal, doubt = distrust(str(folder))
    assert not refusal
    assert f"{folder} can be written by others (mode {mode:04o})" in doubt


def test_one_that_everybody_can_rename_is_doubted(folder: Path) -> None:
    folder.parent.chmod(0o777)
    assert distrust(str(folder))[1].startswith(f"{folder.parent} can be written by everybody")
    folder.parent.chmod(0o1777)
    assert distrust(str(folder)) == ("", "")


@as_root
def test_one_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder, 4321, -1)
    assert "belongs to another user (uid 4321)" in distrust(str(folder))[1]
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert "belongs to another user (uid 4321)" in distrust(str(folder))[0]
    os.chown(folder, 0, -1)
    assert distrust(str(folder)) == ("", "")
