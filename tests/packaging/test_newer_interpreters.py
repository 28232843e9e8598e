"""What the audit saw with CPython 3.11 is asked of later ones by the names that it has there."""

from __future__ import annotations

import pytest

from tests.packaging.environment import ROOT


def test_a_module_that_was_renamed_is_asked_for_by_its_new_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from shipping import audited
    from shipping.targets import TARGETS

    for minor, there, gone in (((3, 11), "_sha256", "_sha2"), ((3, 12), "_sha2", "_sha256")):
        names, _ = audited.seen(TARGETS["linux-x64"], minor)
        assert there in names
        assert gone not in names
