"""Ports that runtimes of a user count on: each keeps the others out, until it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest

from bundlevisor.actors.ports import port_locks
from bundlevisor.actors.ports.port_locks import PortLocks
from tests import absent

FOLDER = Path(gettempdir() if os.name == "nt" else "/tmp")
PORT = 65_000
NAME = f"bundlevisor-ports-test-{os.getpid()}"
"""Of a file for this process, whatever other tests do."""
OTHER = """
import sys
from bundlevisor.actors.ports import port_locks
port_locks.NAME = sys.argv[1]
locks = port_locks.PortLocks()
print([locks.take(int(port)) for port in sys.argv[2:]], flush=True)
sys.stdin.read()
"""
BROUGHT = """
import sys
from bundlevisor.actors.ports import port_locks
slow = {"random", "shutil", "tempfile"} - sys.modules.keys()
port_locks.NAME = sys.argv[1]
locks = port_locks.PortLocks()
locks.take(65_000)
print(sorted(slow & sys.modules.keys()))
"""


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[PortLocks]:
    monkeypatch.setattr(port_locks, "NAME", NAME)
    ours = PortLocks()
    yield ours
    ours.give_up_all()
    for left in FOLDER.glob(f"{NAME}*"):
        left.unlink()


def other(*ports: int) -> subprocess.Popen[str]:
    """Start another runtime, as far as ports go; it counts on its own until its stdin ends."""
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, NAME, *map(str, ports)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_what_one_counts_on_no_other_does(locks: PortLocks) -> None:
    with other(PORT, PORT + 1, PORT) as first:
        assert said_by(first) == "[True, True, True]"
        assert not locks.take(PORT)
        assert locks.take(PORT + 2)
        with other(PORT + 1, PORT + 2) as second:
            assert said_by(second) == "[False, False]"
            second.kill()
        first.kill()
    assert locks.take(PORT)


def test_what_is_given_up_another_may_count_on(locks: PortLocks) -> None:
    assert locks.take(PORT)
    assert locks.take(PORT + 1)
    locks.give_up(PORT)
    locks.give_up(PORT + 2)
    with other(PORT, PORT + 1) as first:
        assert said_by(first) == "[True, False]"
        first.kill()
    locks.give_up_all()
    with other(PORT + 1) as second:
        assert said_by(second) == "[True]"
        second.kill()


@pytest.mark.parametrize("opened", [PermissionError("read-only"), None], ids=["none", "foreign"])
def test_where_there_is_no_such_file_nobody_is_kept_out(
    locks: PortLocks, monkeypatch: pytest.MonkeyPatch, opened: OSError | None
) -> None:
    def open_of_user(_name: str) -> None:
        if opened is not None:
            raise opened

    monkeypatch.setattr(port_locks, "open_of_user", open_of_user)
    assert locks.take(PORT)
    locks.give_up(PORT)
    assert locks.take(PORT)


@absent.unless(os.name != "nt" and os.getuid() == 0, "root of POSIX, who gives a file away")
def test_a_file_that_somebody_else_put_there_is_not_believed() -> None:
    from bundlevisor.actors.files import lock_posix

    path = f"/tmp/{NAME}-{os.getuid()}"
    try:
        mine = lock_posix.open_of_user(NAME)
        assert mine is not None
        os.close(mine)
        os.chown(path, 65_534, -1)
        assert lock_posix.open_of_user(NAME) is None
    finally:
        os.unlink(path)


def test_no_temporary_folder_is_made(
    locks: PortLocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt":
        monkeypatch.setenv("TEMP", str(tmp_path / "none"))
    else:
        from bundlevisor.actors.files import lock_posix

        monkeypatch.setattr(lock_posix, "TEMPORARY", str(tmp_path / "none"))
    assert locks.take(PORT)
    assert not list(tmp_path.iterdir())
    with other(PORT) as elsewhere:
        assert said_by(elsewhere) == "[True]"


@pytest.mark.usefixtures("locks")
def test_to_lock_a_port_imports_nothing_slow() -> None:
    brought = subprocess.run(
        [sys.executable, "-c", BROUGHT, NAME], check=True, capture_output=True, text=True
    )
    assert brought.stdout.split() == ["[]"]
