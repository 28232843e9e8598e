"""The environment that ``python3 -m tests`` makes for itself."""

from __future__ import annotations

import os
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
