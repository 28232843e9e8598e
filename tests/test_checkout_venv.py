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


def test_one_whose_commands_run_other_code_is_installed_into_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not this checkout's: a copy that ``pip install .`` has made, or that of where it was."""
    packages = tmp_path.joinpath(*(("Lib",) if os.name == "nt" else ("lib", "python3.11")))
    link = packages / "site-packages" / "__editable__.bundlevisor-1.0.0.pth"
    link.parent.mkdir(parents=True)
    (tmp_path / "stamp").write_text(checkout_venv.stamp(), encoding="utf-8")
    monkeypatch.setattr(checkout_venv, "VENV", str(tmp_path))
    monkeypatch.setattr(checkout_venv, "STAMP", str(tmp_path / "stamp"))
    monkeypatch.setattr(checkout_venv, "PYTHON", sys.executable)
    assert not checkout_venv.is_made()
    link.write_text(str(tmp_path), encoding="utf-8")
    assert not checkout_venv.is_made()
    link.write_text(f"{checkout_venv.ROOT}\n", encoding="utf-8")
    assert checkout_venv.is_made()
