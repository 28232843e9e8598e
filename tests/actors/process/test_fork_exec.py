"""A program is executed as subprocess.Popen does it, whichever of the two ways is taken."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from tests import absent

if sys.platform != "win32":
    from bundlevisor.actors.process import fork_exec
    from bundlevisor.actors.process.spawn_request import SpawnRequest

pytestmark = absent.unless(sys.platform != "win32", "POSIX")

SELF_PORTRAIT = """
import json, os, signal, sys
print(json.dumps({
    "argv": sys.argv,
    "environment": {name: os.environ.get(name) for name in ("ONE", "TWO")},
    "cwd": os.getcwd(),
    "session": os.getsid(0) == os.getpid(),
    "open": sorted(int(fd) for fd in os.listdir("/dev/fd") if int(fd) < 100),
    "stdin": os.fstat(0).st_rdev == os.stat("/dev/null").st_rdev,
    "same output": os.fstat(1).st_ino == os.fstat(2).st_ino,
    "mask": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
    "broken pipe": str(signal.getsignal(signal.SIGPIPE)),
    "umask": os.umask(0),
}))
"""


@pytest.fixture(params=["at once", "by Popen"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_exec, "KNOWN", request.param == "at once")


def launch(program: str, *arguments: str, output: int = -1, **more: Any) -> SpawnRequest:
    defaults: dict[str, Any] = {"env": dict(os.environ), "cwd": "/"}
    return SpawnRequest(argv=(program, *arguments), output=output, **defaults | more)


def test_both_ways_make_the_same_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = [portrait(monkeypatch, tmp_path, known=known) for known in (True, False)]
    assert seen[0] == seen[1]
    assert seen[0]["environment"] == {"ONE": "ä=\udcff", "TWO": ""}
    assert seen[0]["argv"] == ["-c", "a b", "\udcff"]
    assert seen[0]["session"]
    assert seen[0]["stdin"]
    assert seen[0]["same output"]
    assert seen[0]["cwd"] == str(tmp_path)


def portrait(monkeypatch: pytest.MonkeyPatch, folder: Path, *, known: bool) -> dict[str, Any]:
    monkeypatch.setattr(fork_exec, "KNOWN", known)
    inherited = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    read, write = os.pipe()
    env = {**os.environ, "ONE": "ä=\udcff", "TWO": ""}
    words = ("-c", SELF_PORTRAIT, "a b", "\udcff")
    try:
        pid = fork_exec.execute(
            launch(sys.executable, *words, output=write, env=env, cwd=str(folder))
        )
        os.close(write)
        with open(read, "rb") as file:
            said = file.read()
    finally:
        os.close(inherited)
    assert os.waitpid(pid, 0)[1] == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


@pytest.mark.usefixtures("way")
def test_what_cannot_be_executed_is_named(tmp_path: Path) -> None:
    plain, text = tmp_path / "plain", tmp_path / "text"
    plain.write_text("#!/bin/sh\n")
    text.write_text("neither a program nor a script\n")
    text.chmod(0o755)
    refused = {
        str(tmp_path / "none"): FileNotFoundError,
        str(plain): PermissionError,
        str(text): OSError,
    }
    before, others = os.listdir("/dev/fd"), set(psutil.Process().children())
    for program, error in refused.items():
        with pytest.raises(error) as raised:
            fork_exec.execute(launch(program))
        assert raised.value.filename == program
    with pytest.raises(FileNotFoundError) as raised:
        fork_exec.execute(launch("/bin/sh", cwd=str(tmp_path / "nowhere")))
    assert raised.value.filename == str(tmp_path / "nowhere")
    assert os.listdir("/dev/fd") == before
    assert set(psutil.Process().children()) - others == set(), "nobody is left unreaped"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "wrong", [{"env": {"A=B": "c"}}, {"env": {"A": "b\0"}}, {"argv": ("/bin/sh", "\0")}], ids=str
)
def test_what_no_process_can_be_given_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"argv": ("/bin/sh",), "env": {}, "cwd": "/", "output": -1} | wrong
    with pytest.raises(ValueError, match=r"null|illegal"):
        fork_exec.execute(SpawnRequest(**given))


def test_what_was_encoded_before_is_what_counts() -> None:
    read, write = os.pipe()
    made = launch("/bin/sh", "-c", "echo $SAID", env={"SAID": "this"}, output=write)
    pid = fork_exec.execute(replace(made, env={}, encoded=fork_exec.encode(made)))
    os.close(write)
    assert os.waitpid(pid, 0)[1] == 0
    with open(read, "rb") as file:
        assert file.read() == b"this\n"


def test_nothing_encoded_is_shown() -> None:
    made = launch("/bin/sh", env={"KEY": "its value"})
    assert "value" not in repr(fork_exec.encode(made))
    assert "value" not in repr(made)


def test_a_letter_that_the_locale_does_not_have_is_told_by_its_variable_and_not_shown() -> None:
    with pytest.raises(ValueError, match="KEY holds a letter") as caught:
        fork_exec.encode(launch("/x", env={"KEY": "\ud800"}))
    assert "d800" not in str(caught.value)
