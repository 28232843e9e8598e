from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.files import own_file
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.owned_file import WHATEVER, OwnedFile, identity
from bundlevisor.actors.guardian.state import GuardianState
from bundlevisor.actors.guardian.wire import Decoder, Message, encode


@given(
    st.lists(st.tuples(st.text(), st.integers(), st.binary(max_size=300)), max_size=6),
    st.integers(1, 50),
)
def test_messages_arrive_whole_however_the_stream_is_cut(
    messages: list[Message], size: int
) -> None:
    stream = b"".join(map(encode, messages))
    decoder = Decoder()
    arrived = [
        message
        for start in range(0, len(stream), size)
        for message in decoder.feed(stream[start : start + size])
    ]
    assert arrived == messages


def test_a_guarded_process_survives_the_way_to_the_guardian() -> None:
    guarded = GuardedProcess(
        "api", "r-1", 2, 1.5, ("db",), "/log", (4711, "/stop"), (("key", b"value"),), True
    )
    state = GuardianState()
    (message,) = Decoder().feed(encode(("expect", guarded.fields())))
    state.apply(message)
    state.apply(("spawned", "r-1", 17, 3.5, 17))
    taken = state.all_guarded["r-1"]
    assert taken.fields() == guarded.fields()
    assert (taken.pid, taken.created, taken.session) == (17, 3.5, 17)


def test_what_is_forgotten_lets_its_pipe_go() -> None:
    read, write = os.pipe()
    state = GuardianState()
    state.apply(("expect", GuardedProcess("api", "r-1").fields()), read)
    assert state.pipes == {"r-1": read}
    state.apply(("forget", "r-1"))
    assert not state.all_guarded
    assert not state.pipes
    with pytest.raises(BrokenPipeError):
        os.write(write, b"x")
    os.close(write)


def test_what_was_forgotten_is_not_spawned_again() -> None:
    state = GuardianState()
    state.apply(("spawned", "r-1", 17, 3.5, 17))
    state.apply(("held", "r-1", b"sec"))
    assert not state.all_guarded
    assert not state.held


def test_an_owned_file_is_removed_while_it_is_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("ours")
    owned = OwnedFile(str(path), identity(str(path)), b"", last=False)
    assert owned.remove()
    assert not path.exists()
    assert not owned.remove()


def test_an_owned_file_that_somebody_wrote_again_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("ours")
    owned = OwnedFile(str(path), identity(str(path)), b"", last=False)
    os.utime(path, ns=(0, 0))
    assert not owned.remove()
    assert path.exists()


@pytest.mark.parametrize(("content", "removed"), [("id ours", True), ("id theirs", False)])
def test_an_owned_file_may_be_known_by_what_it_contains(
    tmp_path: Path, content: str, removed: bool
) -> None:
    path = tmp_path / "record"
    path.write_text(content)
    assert OwnedFile(str(path), None, b"ours", last=True).remove() == removed
    assert path.exists() != removed


@pytest.mark.parametrize("containing", [b"", b"ours"])
@pytest.mark.parametrize("newer", [False, True])
def test_what_a_successor_writes_at_this_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, containing: bytes, newer: bool
) -> None:
    """It is there between the look at the file and its removal; and perhaps a newer one still."""
    path = tmp_path / "token"
    path.write_text("ours")
    owned = OwnedFile(str(path), identity(str(path)), containing, last=False)
    rename, unlink = own_file.replace, os.unlink

    def written(content: str) -> None:
        (tmp_path / "new").write_text(content)
        os.replace(tmp_path / "new", path)

    def renamed(source: str, target: str) -> None:
        written("theirs")
        rename(source, target)
        if newer:
            written("newer")

    def unlinked(what: str) -> None:
        if what == str(path):
            written("theirs")
        unlink(what)

    monkeypatch.setattr(own_file, "replace", renamed)
    monkeypatch.setattr(os, "unlink", unlinked)
    assert not owned.remove()
    assert path.read_text() == ("newer" if newer else "theirs")
    assert os.listdir(tmp_path) == ["token"]


def test_what_is_ours_by_its_name_is_removed_whatever_it_is(tmp_path: Path) -> None:
    half, folder = tmp_path / "half", tmp_path / "folder"
    owned_files = [OwnedFile(str(path), WHATEVER, b"", last=False) for path in (half, folder)]
    assert [one.remove() for one in owned_files] == [False, False]
    half.write_text("half of it")
    folder.mkdir()
    assert [one.remove() for one in owned_files] == [True, True]
    assert os.listdir(tmp_path) == []


def test_what_a_guardian_is_told_imports_nothing(tmp_path: Path) -> None:
    """Two of them hear it: what an import allocates and touches is no longer shared by them."""
    told = [
        ("hello", "r", 1, 1.0),
        ("telemetry", "/telemetry"),
        ("own", "/file", None, b"", False),
        ("expect", GuardedProcess("api", "r-1", 2, 1.5, ("db",), "/log", None, (), True).fields()),
        ("spawned", "r-1", 17, 3.5, 17),
        ("held", "r-1", b"held"),
        ("hold_code", 0, 0, {"_queue": str(tmp_path)}),
    ]
    program = f"""
import os, sys
from bundlevisor.actors.guardian import guard
from bundlevisor.actors.guardian.state import GuardianState
before = set(sys.modules)
state = GuardianState()
for message in {told!r}:
    state.apply(message, os.open(os.devnull, os.O_RDONLY) if message[0] == "hold_code" else -1)
print(*(set(sys.modules) - before))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")
