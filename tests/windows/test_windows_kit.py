"""What the kit for bundles' own tests writes for Windows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bundlevisor.testing.bundle import write_script

assert sys.platform == "win32"


def test_a_script_names_an_interpreter_below_a_users_name_with_an_umlaut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "C:\\Users\\Jürgen\\python.exe")
    write_script(tmp_path / "api", b"", "-S")
    written = (tmp_path / "api.cmd").read_bytes()
    assert written.startswith(b'@"C:\\Users\\J\x81rgen\\python.exe" -S ')  # of 437 and 850
    assert written.endswith(b" %*\r\n")
    assert b"\r\r" not in written
