"""Small files are not read again while they are the same, and never given when they are another."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from bundlevisor.actors.ui_server.files import open_beneath, recent
from bundlevisor.actors.ui_server.files.recent import LONGEST, MOST, SETTLED, RecentFiles
from bundlevisor.actors.ui_server.files.sending import send
from bundlevisor.actors.ui_server.files.site import Site
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.headers import Headers
from bundlevisor.actors.ui_server.http.request import Request

LONG_AGO = 1e9


def sent(site: Site, name: str) -> bytes:
    file = site.find((name,))
    assert file is not None
    answer = send(Request("GET", f"/{name}", Headers(), "1.1"), file, None, {})
    assert isinstance(answer, Answer)
    return answer.body


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """One whose files have not changed for long enough, however young they are."""
    monkeypatch.setattr(recent, "SETTLED", -60.0)
    (tmp_path / "a.txt").write_bytes(b"first")
    (tmp_path / "b.txt").write_bytes(b"other")
    return Site(str(tmp_path), "index.html")


@pytest.mark.skipif(sys.platform == "win32", reason="every file is read there")
def test_a_file_that_is_the_same_is_not_opened_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (sent(site, "a.txt"), sent(site, "b.txt")) == (b"first", b"other")
    monkeypatch.setattr(open_beneath, "opened", lambda *_: pytest.fail("it is opened"))
    assert (sent(site, "a.txt"), sent(site, "b.txt")) == (b"first", b"other")


@pytest.mark.parametrize("replaced", [False, True])
def test_one_that_has_changed_is_another_whatever_its_size_and_time(
    site: Site, tmp_path: Path, replaced: bool
) -> None:
    path, was = tmp_path / "a.txt", os.stat(tmp_path / "a.txt")
    assert sent(site, "a.txt") == b"first"
    if replaced:
        (tmp_path / "new").write_bytes(b"again")
        os.replace(tmp_path / "new", path)
    else:
        rewrite(path, was)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert sent(site, "a.txt") == b"again"


def rewrite(path: Path, was: os.stat_result) -> None:
    """Write it in its place, in another tick of the file system's clock."""
    while True:
        path.write_bytes(b"again")
        if sys.platform == "win32" or os.stat(path).st_ctime_ns != was.st_ctime_ns:
            return


def test_one_that_is_gone_is_not_there(site: Site, tmp_path: Path) -> None:
    assert sent(site, "a.txt") == b"first"
    (tmp_path / "a.txt").unlink()
    assert site.find(("a.txt",)) is None


def test_what_changed_just_now_and_what_is_long_is_not_kept() -> None:
    files, now = RecentFiles(), time.time()
    files.keep("young", b"x", now - SETTLED / 2)
    files.keep("old", b"x", LONG_AGO)
    files.keep("long", bytes(LONGEST + 1), LONG_AGO)
    assert [files.get(key) for key in ("young", "old", "long")] == [None, b"x", None]


def test_what_was_used_longest_ago_makes_room() -> None:
    files = RecentFiles()
    files.keep(0, b"again", LONG_AGO)
    for number in range(MOST // LONGEST):
        files.keep(number, bytes(LONGEST), LONG_AGO)
    assert files.get(0) == bytes(LONGEST), "it counts once"
    files.keep("one more", b"x", LONG_AGO)
    assert files.get(0) is not None
    assert files.get(1) is None
