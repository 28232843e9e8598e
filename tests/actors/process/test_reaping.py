"""What is left when all services are stopped is ended, also where it cannot be seen at once."""

from __future__ import annotations

import errno
import sys

import pytest

from bundlevisor.actors.process import reaping

if sys.platform == "win32":
    pytest.skip("there it is in a job", allow_module_level=True)


def test_a_look_without_a_descriptor_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop is orderly all the same: it did not end there."""
    looks: list[str] = []

    def remains(instance_id: str, _group: str) -> dict[int, float]:
        looks.append(instance_id)
        if len(looks) < 3:
            raise OSError(errno.ENFILE, "no descriptor is left")
        return {}

    monkeypatch.setattr(reaping, "_remains", remains)
    reaping.end_remains("id", "")
    assert looks == ["id"] * 3
    monkeypatch.setattr(reaping, "END_WITHIN", 0.0)
    looks.clear()
    reaping.end_remains("id", "")
    assert looks == ["id"]
