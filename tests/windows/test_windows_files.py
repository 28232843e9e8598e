"""Files that somebody else has open, or that are marked read-only."""

from __future__ import annotations

import _winapi
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bundlevisor.actors.files import atomic, endpoint, files_windows, own_file
from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.guardian.owned_file import OwnedFile, identity
from bundlevisor.actors.prepare.data_snapshot import DataSnapshots, Taken
from bundlevisor.actors.ui_server.files import open_beneath

assert sys.platform == "win32"

GENERIC_READ = 0x80000000
OPEN_EXISTING = 3
FILE_SHARE_READ = 1
FILE_SHARE_DELETE = 4
ASKS = (
    "import sys; from bundlevisor.control.cli.screen.terminal import is_terminal as ask;"
    " print(ask(sys.stdin))"
)


def _open_alone(path: Path, others: int = 0) -> int:
    """Open a file as a virus scanner may: nobody else can until it is closed, except ``others``."""
    return _winapi.CreateFile(str(path), GENERIC_READ, others, 0, OPEN_EXISTING, 0, 0)


def _let_go_at_the_first_pause(handle: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            _winapi.CloseHandle(handle)

    monkeypatch.setattr(time, "sleep", pause)
    return pauses


def test_state_that_a_scanner_has_open_is_read_a_moment_later_and_not_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "ports.json"
    state.write_bytes(b"what is known")
    pauses = _let_go_at_the_first_pause(_open_alone(state), monkeypatch)
    assert atomic.read_or_set_aside(str(state), bytes) == (b"what is known", None)
    assert pauses
    assert os.listdir(tmp_path) == ["ports.json"]


def test_a_file_of_a_page_that_a_scanner_has_open_is_sent_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(b"hello")
    pauses = _let_go_at_the_first_pause(_open_alone(page), monkeypatch)
    with open(open_beneath.opened(os.path.realpath(tmp_path), ("index.html",)), "rb") as file:
        assert file.read() == b"hello"
    assert pauses


def test_a_file_that_nobody_may_read_for_long_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "ports.json"
    state.write_bytes(b"what is known")
    monkeypatch.setattr(files_windows, "PAUSES", (0.0,))
    handle = _open_alone(state)
    with pytest.raises(PermissionError):
        own_file.read(str(state))
    _winapi.CloseHandle(handle)


def test_data_with_read_only_files_is_put_back_and_its_copy_removed(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "note").write_text("before")
    os.chmod(store / "note", stat.S_IREAD)
    snapshots, taken = DataSnapshots(str(tmp_path)), Taken((str(store),), (), "1.0.0")
    snapshots.take("db", taken, 1 << 20)
    os.chmod(store / "note", stat.S_IWRITE)
    (store / "note").write_text("after")
    os.chmod(store / "note", stat.S_IREAD)
    snapshots.put_back("db", taken)
    snapshots.drop("db")
    assert (store / "note").read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["snapshots", "store"]
    assert os.listdir(tmp_path / "snapshots") == []


def test_a_folder_with_an_open_log_in_it_cannot_be_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the logs are closed meanwhile: if this fails, that can go."""
    store = tmp_path / "store"
    store.mkdir()
    snapshots, taken = DataSnapshots(str(tmp_path)), Taken((str(store),), (), "1.0.0")
    snapshots.take("db", taken, 1 << 20)
    log = LogFile(str(store / "db.log"))
    log.write(b"one\n")
    monkeypatch.setattr(files_windows, "PAUSES", (0.0,))
    with pytest.raises(PermissionError):
        snapshots.put_back("db", taken, [log.path])
    log.close()
    snapshots.put_back("db", taken, [log.path])
    log.write(b"two\n")
    log.close()
    assert (store / "db.log").read_bytes() == b"one\ntwo\n"


def test_nul_is_no_terminal() -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASKS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "False"


def test_nothing_is_written_into_a_file_with_a_second_name(tmp_path: Path) -> None:
    log, other = tmp_path / "a.log", tmp_path / "other"
    other.write_bytes(b"precious\n")
    os.link(other, log)
    with pytest.raises(own_file.Unfit, match="second name"):
        own_file.open_to_change(str(log))
    file = LogFile(str(log))
    assert file.write(b"line\n") == 5
    file.close()
    assert other.read_bytes() == b"precious\n"
    assert log.read_bytes() == b"line\n"


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(own_file.Unfit, match="it is a folder"):
        own_file.open_to_change(str(tmp_path / "lock"))
    with pytest.raises(own_file.Unfit, match="it is a folder"):
        own_file.read(str(tmp_path / "lock"))


def test_a_log_that_somebody_has_open_alone_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"one\n")
    handle = _open_alone(log)
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    file = LogFile(str(log))
    assert file.write(b"two\n") == 0
    assert not pauses
    _winapi.CloseHandle(handle)
    assert file.write(b"two\n") == 4
    file.close()


def test_what_is_read_can_be_rotated_replaced_and_removed_meanwhile(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    file = LogFile(str(log), max_bytes=8, files=3)
    for line in (b"first..\n", b"second.\n", b"third..\n"):
        assert file.write(line) == 8
    readers = [own_file.open_to_read(f"{log}{suffix}", follow=False) for suffix in ("", ".1", ".2")]
    assert file.write(b"fourth.\n") == 8
    file.close()
    assert Path(f"{log}.1").read_bytes() == b"third..\n"
    assert Path(f"{log}.2").read_bytes() == b"second.\n"
    assert [own_file.read_up_to(reader, 9) for reader in readers] == [
        b"third..\n",
        b"second.\n",
        b"first..\n",
    ]
    assert atomic.set_aside(str(log), ValueError("it is wrong"), 0.0).endswith("Z")
    for reader in readers:
        os.close(reader)
    aside = "a.log.corrupt-19700101T000000Z"
    assert sorted(os.listdir(tmp_path)) == ["a.log.1", "a.log.2", aside]


def test_an_oldest_log_that_somebody_has_open_alone_stays_with_the_others(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    file = LogFile(str(log), max_bytes=8, files=2)
    for line in (b"first..\n", b"second.\n"):
        assert file.write(line) == 8
    handle = _open_alone(Path(f"{log}.1"))
    assert file.write(b"third..\n") == 8
    _winapi.CloseHandle(handle)
    file.close()
    assert Path(f"{log}.1").read_bytes() == b"first..\n"
    assert log.read_bytes() == b"second.\nthird..\n"


def test_a_token_is_removed_although_somebody_reads_it_or_has_it_open_alone_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    for has_open in (False, True):
        endpoint.write_token(str(token), "a token")
        reader = 0 if has_open else own_file.open_to_read(str(token))
        if has_open:
            _let_go_at_the_first_pause(_open_alone(token, FILE_SHARE_READ), monkeypatch)
        endpoint.remove_if_ours(str(token), "a token")
        if reader:
            os.close(reader)
        assert os.listdir(tmp_path) == []


def test_the_guardian_removes_a_token_that_a_scanner_has_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_bytes(b"a token")
    owned = OwnedFile(str(token), identity(str(token)), b"", False)
    pauses = _let_go_at_the_first_pause(_open_alone(token, FILE_SHARE_READ), monkeypatch)
    assert owned.remove()
    assert pauses
    assert os.listdir(tmp_path) == []


def test_a_folder_is_removed_when_the_last_reader_of_what_was_in_it_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "data").write_bytes(b"data")
    shared = FILE_SHARE_READ | FILE_SHARE_DELETE
    _let_go_at_the_first_pause(_open_alone(folder / "data", shared), monkeypatch)
    files_windows.remove_tree(str(folder))
    assert not folder.exists()


def test_a_file_of_a_page_can_be_replaced_while_it_is_sent(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "page.js").write_bytes(b"old")
    (root / "page.new").write_bytes(b"new")
    descriptor = open_beneath.opened(str(root), ("page.js",))
    os.rename(root / "page.js", root / "page.old")
    os.rename(root / "page.new", root / "page.js")
    assert os.read(descriptor, 9) == b"old"
    os.close(descriptor)
    with pytest.raises(FileNotFoundError):
        open_beneath.opened(str(root), ("page.new",))


class _Placeholder:
    """What lstat says of a file that OneDrive has synchronised."""

    st_reparse_tag = 0x9000701A  # IO_REPARSE_TAG_CLOUD_7

    def __init__(self, found: os.stat_result) -> None:
        self._found = found
        self.st_file_attributes = found.st_file_attributes | stat.FILE_ATTRIBUTE_REPARSE_POINT

    def __getattr__(self, name: str) -> object:
        return getattr(self._found, name)


def test_what_onedrive_has_synchronised_is_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "log").write_bytes(b"before ")
    lstat = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: _Placeholder(lstat(path)))
    with open(own_file.open_to_append(str(kept / "log")), "ab") as log:
        log.write(b"after")
    assert own_file.read(str(kept / "log"), follow=False) == b"before after"
