"""A service with a socket is executed by the shell: it has all its variables nevertheless."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("no socket is handed over there", allow_module_level=True)

from bundlevisor.actors.process import children
from bundlevisor.actors.process.spawn_request import SpawnRequest
from tests.waiting import wait_until

OWN = {"DYLD_LIBRARY_PATH": "/a b/*\n/c", "DYLD_PRINT": "", "DYLD_no name": "x", "OTHER": "$HOME"}
PRINTS = (
    "import os; print({n: v for n, v in os.environ.items() if n[:4] in ('DYLD', 'BUND', 'OTHE')})"
)


def test_what_macos_takes_from_the_shell_reaches_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posix_spawn = os.posix_spawn

    def of_macos(path: str, argv: list[str], env: dict[str, str], **more: Any) -> int:
        left = {name: value for name, value in env.items() if not name.startswith("DYLD_")}
        return posix_spawn(path, argv, left, **more)

    monkeypatch.setattr(os, "posix_spawn", of_macos)
    said = tmp_path / "said"
    with said.open("wb") as output, open(os.devnull, "rb") as handed:
        argv = (sys.executable, "-c", PRINTS)
        sockets = (("http", handed.fileno()),)
        child = children.spawn(
            SpawnRequest(argv=argv, env=OWN, cwd="/", output=output.fileno(), sockets=sockets)
        )
        wait_until(lambda: child.poll() is not None, what="its end")
    child.close()
    reached = {name: value for name, value in OWN.items() if " " not in name}
    assert eval(said.read_text()) == reached
