"""The runtime is not touched by variables of Python's that somebody has set for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, bundlevisor, running

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there the command is pip's launcher"
)
HOSTILE = {
    "PYTHONHOME": "/nonexistent",
    "PYTHONSTARTUP": "/nonexistent",
    "PYTHONEXECUTABLE": "/nonexistent",
    "__PYVENV_LAUNCHER__": "/nonexistent",
    "PYTHONPLATLIBDIR": "nonexistent",
    "PYTHONWARNINGS": "error",
    "PYTHONHASHSEED": "none",
    "PYTHONMALLOC": "none",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PYTHONOPTIMIZE": "2",
    "PYTHONVERBOSE": "1",
    "PYTHONINSPECT": "1",
    "PYTHONDEVMODE": "1",
}
OPEN = {"type": "port_open", "port_name": "http"}


@pytest.fixture
def pythonpath(tmp_path: Path) -> str:
    """A folder with modules that nobody should import."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in ("sitecustomize", "usercustomize", "json", "msgspec", "socket", "bundlevisor"):
        (folder / f"{name}.py").write_text("raise SystemExit(9)\n")
    return str(folder)


@pytest.mark.parametrize("name", [*HOSTILE, "PYTHONPATH"])
def test_a_command_says_what_it_says(name: str, pythonpath: str) -> None:
    done = bundlevisor("version", env={name: HOSTILE.get(name, pythonpath)})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("bundlevisor ")


def test_a_page_is_served_with_all_of_them(tmp_path: Path, pythonpath: str) -> None:
    made = bundle(tmp_path).file("dist/index.html", "hello")
    served = {"universal": {"path": "dist"}}
    made.service("ui", type="ui-bundle", binaries=served, health=None, readiness=OPEN).write()
    with running(made, env={**HOSTILE, "PYTHONPATH": pythonpath}) as run:
        run.until_ready()
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert "Traceback" not in run.stderr
