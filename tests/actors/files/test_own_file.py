"""What stands in the place of a file of ours is never waited for and never written into."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.files.tail import tail
from tests import absent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what POSIX has in folders")


def link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def dangling(path: Path, other: Path) -> None:
    other.unlink()
    path.symlink_to(other)


def second_name(path: Path, other: Path) -> None:
    path.hardlink_to(other)


def pipe(path: Path, other: Path) -> None:
    os.mkfifo(path)


def folder(path: Path, other: Path) -> None:
    path.mkdir()


def device(path: Path, other: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        absent.skip("root, who can make a device")


def socket(path: Path, other: Path) -> None:
    import socket as sockets

    with sockets.socket(sockets.AF_UNIX) as one:
        one.bind(str(path))


PLANTS = [link, dangling, second_name, pipe, folder, device, socket]
Plant = Callable[[Path, Path], None]


def planted(tmp_path: Path, plant: Plant) -> tuple[Path, Path]:
    path, other = tmp_path / "ours", tmp_path / "other"
    other.write_bytes(b"precious\n")
    plant(path, other)
    return path, other


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("open_it", [own_file.open_to_append, own_file.open_to_change])
def test_only_a_file_with_one_name_is_opened_to_be_written(
    tmp_path: Path, plant: Plant, open_it: Callable[[str], int]
) -> None:
    path, other = planted(tmp_path, plant)
    with pytest.raises(own_file.Unfit) as caught:
        open_it(str(path))
    assert caught.value.filename == str(path)
    assert other.exists() is (plant is not dangling)
    assert plant is dangling or other.read_bytes() == b"precious\n"


@pytest.mark.parametrize("open_it", [own_file.open_to_append, own_file.open_to_change])
def test_whoever_is_first_to_write_makes_the_folder(
    tmp_path: Path, open_it: Callable[[str], int]
) -> None:
    os.close(open_it(str(tmp_path / "data" / "logs" / "ours")))
    assert (tmp_path / "data" / "logs" / "ours").read_bytes() == b""
    if sys.platform != "win32":
        assert (tmp_path / "data" / "logs").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["taken", "taken/deeper/still"])
def test_what_is_in_the_way_of_a_folder_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_bytes(b"kept")
    with pytest.raises(NotADirectoryError) as caught:
        own_file.make_folder(str(tmp_path / place))
    assert own_file.error_text(caught.value) == f"{tmp_path / 'taken'}: it is no folder"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_leads_nowhere_is_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(NotADirectoryError, match="it is a link that leads nowhere"):
        own_file.make_folder(str(tmp_path / "link"))


def test_a_folder_that_nobody_can_look_at_is_not_said_to_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.stat

    def stale(path: str, **how: Any) -> os.stat_result:
        if path == str(tmp_path):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), path)
        return usual(path, **how)

    monkeypatch.setattr(os, "stat", stale)
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)) as caught:
        own_file.make_folder(str(tmp_path))
    assert caught.value.filename == str(tmp_path)


@pytest.mark.parametrize("plant", [pipe, folder, device, socket])
def test_only_a_regular_file_is_read(tmp_path: Path, plant: Plant) -> None:
    path, _ = planted(tmp_path, plant)
    with pytest.raises(own_file.Unfit):
        own_file.read(str(path))


def test_a_link_is_followed_where_that_is_asked_for(tmp_path: Path) -> None:
    path, _ = planted(tmp_path, link)
    assert own_file.read(str(path)) == b"precious\n"
    with pytest.raises(own_file.Unfit):
        own_file.read(str(path), follow=False)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path, _ = planted(tmp_path, second_name)
    assert own_file.read(str(path), 9) == b"precious\n"
    with pytest.raises(own_file.Unfit) as caught:
        own_file.read(str(path), 8)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize("plant", [link, dangling, pipe, device, socket])
def test_a_log_is_begun_beside_what_stood_in_its_place(tmp_path: Path, plant: Plant) -> None:
    path, other = planted(tmp_path, plant)
    said: list[str] = []
    log = LogFile(str(path), report=said.append)
    assert log.write(b"line\n") == 5
    log.close()
    assert path.read_bytes() == b"line\n"
    assert plant is dangling or other.read_bytes() == b"precious\n"
    assert len(said) == 1
    assert str(path) in said[0]


def test_a_log_with_a_second_name_is_rotated_away(tmp_path: Path) -> None:
    path, other = planted(tmp_path, second_name)
    log = LogFile(str(path))
    assert log.write(b"line\n") == 5
    log.close()
    assert other.read_bytes() == b"precious\n"
    assert tail(str(path), 9) == b"precious\nline\n"


def test_a_log_that_becomes_a_link_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bundlevisor.actors.files.rotating_file.LOOK_EVERY", 0.0)
    path, moved = tmp_path / "log", tmp_path / "moved"
    log = LogFile(str(path))
    log.write(b"one\n")
    path.rename(moved)
    path.symlink_to(moved)
    log.write(b"two\n")
    log.close()
    assert moved.read_bytes() == b"one\n"
    assert path.read_bytes() == b"two\n"
    assert not path.is_symlink()


@pytest.mark.parametrize("plant", [link, pipe, device, socket])
def test_the_lines_of_a_log_are_not_read_through_what_is_no_file(
    tmp_path: Path, plant: Plant
) -> None:
    path, _ = planted(tmp_path, plant)
    path.rename(tmp_path / "log.1")
    (tmp_path / "log").write_bytes(b"line\n")
    assert tail(str(tmp_path / "log"), 9) == b"line\n"


@pytest.mark.parametrize("plant", PLANTS)
def test_a_state_file_is_replaced_or_refused_but_never_written_through(
    tmp_path: Path, plant: Plant
) -> None:
    path, other = planted(tmp_path, plant)
    if plant is folder:
        with pytest.raises(OSError, match="ours"):
            atomic.write(str(path), b"new")
    else:
        atomic.write(str(path), b"new")
        assert path.read_bytes() == b"new"
    assert plant is dangling or other.read_bytes() == b"precious\n"


ROOT = Path(__file__).parents[3]
OTHERS = {
    "actors/files/files_posix.py": "the one place itself",
    "actors/files/files_windows.py": "the one place itself",
    "actors/files/atomic.py": "new files under a name that nobody knows (O_EXCL)",
    "actors/prepare/data_snapshot.py": "logs within services' data, in folders just made",
    "actors/prepare/folder_copy.py": "copies of services' data, in folders just made",
    "actors/prepare/assets.py": "files of the bundle, read only",
    "actors/process/binary.py": "programs of the bundle, read only",
    "actors/guardian/shared_memory.py": "a file that is unlinked at once (O_EXCL)",
    "control/cli/timeline_command.py": "a file that the user names for a picture",
    "control/cli/support_command.py": "the bundle, and the file that the user names",
    "control/dashboard/page_files.py": "files of the package, read only",
    "control/develop/starter/python.py": "a program of the user's, as text",
    "control/develop/starter/write.py": "new files in a folder that the user names (O_EXCL)",
}


@pytest.mark.parametrize("room", ["actors", "control"])
def test_files_of_ours_are_opened_in_one_place(room: str) -> None:
    opens = re.compile(r"(?:\bos\.|(?<![.\w]))open\((?!self\)|own_file\.|descriptor)")
    elsewhere = re.compile(r"devnull|/proc/|/sys/|msvcrt|os\.dup|def open|ui_server|FILES")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / room).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if opens.search(line) and not elsewhere.search(line)
    }
    rooms_of_their_own = ("actors/ui_server/", "actors/gpu/", "actors/process/", "control/boot/")
    code = ("actors/guardian/kept_code.py", "actors/guardian/code_collection.py")
    assert {one for one in found if not one.startswith((*rooms_of_their_own, *code))} <= set(OTHERS)


LET_GO_BY_OTHERS = {
    "actors/files/files_posix.py": "the one place itself",
    "actors/files/files_windows.py": "the one place itself",
    "actors/files/rotating_file.py": "a log waits for nobody: it goes on without rotation",
    "actors/guardian/shared_memory.py": "POSIX only",
    "actors/probes/notify_socket.py": "POSIX only",
    "control/develop/starter/python.py": "a program of the user's, as text",
    "control/develop/starter/write.py": "new files, which nobody else has open",
}


@pytest.mark.parametrize("room", ["actors", "control"])
def test_files_of_ours_are_renamed_and_removed_in_one_place(room: str) -> None:
    """Windows refuses both while somebody has the file open: who does it otherwise leaves it."""
    lets_go = re.compile(r"\bos\.(?:unlink|remove|rename|replace)\(|\.(?:unlink|rename)\(")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / room).rglob("*.py")
        if lets_go.search(path.read_text(encoding="utf-8"))
    }
    assert found == {name for name in LET_GO_BY_OTHERS if name.startswith(room)}
