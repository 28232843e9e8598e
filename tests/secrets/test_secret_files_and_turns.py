"""Files of secrets are written and removed beside the actors' turns: a disk may hang."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, starting, wait_until
from tests.secrets.secret_bundle import file_secret, with_secrets

PROGRAM = """
import os, sys, threading, time
sys.path += {path!r}
def hear(event, arguments):
    if event in ("open", "os.rename", "os.remove") and "/keys/" in str(arguments[0]):
        thread = threading.current_thread().name.split()[0]
        os.write(noted, f"{{event}} {{thread}}\\n".encode())
        while event == "os.rename" and os.path.exists({gate!r}):
            time.sleep(0.005)
noted = os.open({noted!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(hear)
from bundlevisor.control.__main__ import main
main()
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")


class Noted:
    """A runtime that notes who touches the folder of the secrets, and waits for a gate to go."""

    def __init__(self, folder: Path) -> None:
        self.gate, self._noted = folder / "gate", folder / "noted"
        root = str(Path(__file__).parents[2])
        path = [*(p for p in sys.path if p.endswith("site-packages")), root]
        code = PROGRAM.format(path=path, gate=str(self.gate), noted=str(self._noted))
        self.command = (sys.executable, "-I", "-S", "-c", code)

    @property
    def acts(self) -> list[tuple[str, str]]:
        """What was done to the files, and by which thread."""
        if not self._noted.exists():
            return []
        lines = [line.partition(" ") for line in self._noted.read_text().splitlines()]
        return [(act, thread) for act, _, thread in lines]


def one_service(folder: Path) -> Bundle:
    made = with_secrets(folder, file_secret("cert", "keys/cert.pem"))
    made.service("api", secrets=["cert"]).write().app_data.mkdir()
    (made.app_data / "secrets.json").write_text('{"secrets": {"cert": "the content"}}')
    return made


@pytest.mark.parametrize("is_there", [True, False])
def test_no_turn_of_an_actor_touches_them(tmp_path: Path, is_there: bool) -> None:
    made, noted = one_service(tmp_path), Noted(tmp_path)
    if not is_there:
        (made.root / "bin" / "api").write_bytes(b"no program")
    with starting(made, command=noted.command) as run:
        run.await_listening()
        run.ready()
        assert (run.app_data / "keys" / "cert.pem").exists() is is_there
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert not (run.app_data / "keys" / "cert.pem").exists()
    assert {act for act, _ in noted.acts} == {"open", "os.rename", "os.remove"}
    assert "events" not in {thread for _, thread in noted.acts}


def test_one_that_is_written_when_a_stop_is_told_goes_again(tmp_path: Path) -> None:
    made, noted = one_service(tmp_path), Noted(tmp_path)
    noted.gate.touch()
    with starting(made, command=noted.command) as run:
        run.await_listening()
        wait_until(lambda: "os.rename" in dict(noted.acts), what="the moment before it is there")
        run.post("/services/api/stop")
        wait_until(lambda: run.service("api")["state"] == "stopping", what="the stop")
        noted.gate.unlink()
        wait_until(lambda: run.service("api")["state"] == "stopped", what="its end")
        assert not (run.app_data / "keys" / "cert.pem").exists()
        run.post("/services/api/start")
        run.until_ready()
        assert (run.app_data / "keys" / "cert.pem").read_text() == "the content"
