"""``init``: a folder that runs at once, and nothing of the user's is ever written over."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.control.develop.starter import node
from tests import absent
from tests.bundle_maker import PORT_RANGE, Bundle, Run, bundlevisor, running, wait_until
from tests.installed import COMMAND
from tests.waiting import WITHIN

LANGUAGES = {"python": "python" if os.name == "nt" else "python3", "node": "node"}
ON_PATH = {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])}


def count(run: Run, service: str, method: str = "GET", key: str = "") -> tuple[int, int]:
    """Ask for the count at one of the services' ports."""
    connection = http.client.HTTPConnection("127.0.0.1", run.ports(service)["http"], timeout=30)
    with contextlib.closing(connection):
        connection.request(method, "/api/count", headers={"X-Key": key})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("count", -1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_folder_runs_at_once(tmp_path: Path, language: str) -> None:
    if shutil.which(LANGUAGES[language], path=ON_PATH["PATH"]) is None:
        absent.skip(LANGUAGES[language])
    folder = tmp_path / "My app"
    done = bundlevisor("init", str(folder), "--language", language, env=ON_PATH)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.replace(str(tmp_path), "").splitlines())) <= 80
    said = bundlevisor("validate", "--manifest", str(folder / "bundle.json"), env=ON_PATH)
    assert (said.returncode, said.stdout) == (0, "valid\n")
    made = Bundle.existing(folder / "bundle.json", tmp_path)
    ours = tmp_path / "ports.json"  # other tests have the default ones
    ours.write_text(json.dumps({"ports": {"default_range": PORT_RANGE}}))
    overlays = ("--overlay", str(folder / "dev.json"), "--overlay", str(ours))
    with running(made, *overlays, "--watch", env=ON_PATH) as run:
        run.until_ready(60)
        first = count(run, "page")
        assert first[0] == 200
        wait_until(lambda: count(run, "page")[1] > first[1], what="the worker's work")
        assert count(run, "api", "POST", "wrong")[0] == 403
        wait_until(lambda: "watching" in run.stderr, what="the watch")
        (server,) = (path for path in (folder / "api").iterdir() if path.suffix != ".cmd")
        text = server.read_text()
        server.write_text(text.replace('{"ok": True}', '{"ok": 1}').replace("{ ok: true }", "{}"))
        wait_until(lambda: "changed: api is restarted, and" in run.stderr, what="the restart")
        run.until_ready(60)
        wait_until(lambda: count(run, "page")[1] > first[1], what="the count that was kept")
        asked = "/api/count"  # by LOG_LEVEL=debug of the overlay
        wait_until(lambda: asked in run.log("api"), what="a word on each request")


@absent.unless(shutil.which("node"), "node")
def test_a_worker_whose_api_does_not_answer_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {"API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}", "WORKER_KEY": "x"}
        ended = subprocess.run(
            ["node", "-e", node.WORKER.replace("10_000", "100")],
            env=os.environ | environment,
            capture_output=True,
            timeout=WITHIN,
            check=False,
        )
    assert (ended.returncode, b"the API does not answer" in ended.stderr) == (1, True)


def test_what_to_type_next_is_right(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "init", "it's mine"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    _, _, following = done.stdout.partition("next:\n")
    first, second = (line.strip() for line in following.strip().splitlines())
    assert second == "bundlevisor run --overlay dev.json --watch"
    if os.name != "nt":
        there = subprocess.run(
            ["sh", "-c", f"{first} && cat bundle.json"],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert json.loads(there.stdout)["app"]["name"] == "it's mine"


def test_a_folder_without_a_name_of_its_own_is_this_one(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    done = subprocess.run(
        [*COMMAND, "init"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "  cd " not in done.stdout
    assert json.loads((folder / "bundle.json").read_text())["app"]["name"] == "here"
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("path", ["README.md", "api/server.py", "page"])
def test_nothing_is_written_over(tmp_path: Path, path: str) -> None:
    mine = tmp_path / path
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = bundlevisor("init", str(tmp_path))
    assert done.returncode == 1
    assert path in done.stderr
    assert mine.read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before


@absent.unless(os.name != "nt", "POSIX: making links needs a right on Windows")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, folder = tmp_path / "target", tmp_path / "folder"
    folder.mkdir()
    (folder / "bundle.json").symlink_to(target)
    assert bundlevisor("init", str(folder)).returncode == 1
    assert not target.exists()


def test_an_interpreter_that_is_missing_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    done = bundlevisor("init", str(folder), "--language", "node", env={"PATH": "/nowhere"})
    assert (done.returncode, done.stderr) == (
        0,
        "bundlevisor: its programs need node, which is not on PATH\n",
    )
