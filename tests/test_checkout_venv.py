"""The environment that ``python3 -m tests`` makes for itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import checkout_venv
from tests.__main__ import Steps


@pytest.mark.skipif(os.name == "nt", reason="an environment has no links to its Python there")
def test_one_whose_python_is_gone_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(tmp_path / "removed-by-an-upgrade")
    monkeypatch.setattr(checkout_venv, "VENV", str(tmp_path))
    monkeypatch.setattr(checkout_venv, "PYTHON", str(python))
    assert checkout_venv.make(Steps(60.0)) == 0
    assert checkout_venv.new_enough(str(python))


def test_one_that_was_moved_or_copied_with_its_checkout_is_installed_into_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands would run the code of the other place, or find none."""
    (tmp_path / "stamp").write_text(checkout_venv.stamp(), encoding="utf-8")
    monkeypatch.setattr(checkout_venv, "STAMP", str(tmp_path / "stamp"))
    monkeypatch.setattr(checkout_venv, "PYTHON", sys.executable)
    assert checkout_venv.is_made()
    monkeypatch.setattr(checkout_venv, "ROOT", str(tmp_path))
    assert not checkout_venv.is_made()
