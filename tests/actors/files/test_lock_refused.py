"""A lock that is not given: by the disk, or by an instance that is about to end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bundlevisor.actors.files import instance_lock


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EROFS, "that disk"),
        (errno.EIO, "that disk"),
        (errno.ESTALE, "that disk"),
        (errno.EMFILE, "raise the limit"),
        (errno.ENFILE, "end programs"),
        (errno.EACCES, "local and writable"),
    ],
)
def test_the_advice_fits_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    def fail(_descriptor: int) -> bool:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(instance_lock, "acquire", fail)
    with pytest.raises(instance_lock.LockUnavailable, match=f"cannot lock .*; .*{advice}"):
        instance_lock.take(str(tmp_path))


def test_time_in_which_it_was_held_up_is_none_of_who_was_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that was paused, Windows asleep: the other has not gone on either."""
    path = Path(instance_lock.lock_path(str(tmp_path)))
    path.parent.mkdir()
    path.write_text("4711 stopping 60")
    clock, answers = [0.0], iter([None, None, None, (5, instance_lock.NOBODY_KNOWN)])
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda _: clock.__setitem__(0, clock[0] + 3600))
    monkeypatch.setattr(instance_lock, "_locked", lambda _: next(answers))
    assert instance_lock.take(str(tmp_path)).fd == 5
