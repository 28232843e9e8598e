"""A lock that the disk does not give is told with what helps there."""

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
