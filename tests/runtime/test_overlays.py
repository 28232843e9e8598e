"""``run --overlay``: another binary, and a page that is a server of its own, as when developing."""

from __future__ import annotations

import http.client
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.bundle_maker import Bundle, bundle, bundlevisor, running

BAD_MANIFEST = 2
NAME = os.path.basename(sys.executable)
ON_PATH = {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])}


def made(folder: Path) -> Bundle:
    """A bundle with a page that the runtime would serve itself."""
    return (
        bundle(folder)
        .service("db")
        .service("web", type="ui-bundle", binaries={"universal": {"path": "ui"}}, deps=["db"])
        .file("ui/index.html", "built")
        .write()
    )


def overlay(folder: Path, **services: Any) -> Path:
    path = folder / "dev.json"
    path.write_text(json.dumps({"services": services}), encoding="utf-8")
    return path


def test_a_page_may_be_a_program_of_the_path(tmp_path: Path) -> None:
    site = tmp_path / "source"
    site.mkdir()
    (site / "index.html").write_text("from source")
    (site / "health").write_text("ok")
    arguments = ["-m", "http.server", "${web.http}", "--bind", "127.0.0.1"]
    server = {"path": NAME, "args": arguments, "cwd": "source"}
    server["cwd"] = "../" + tmp_path.name + "/source"  # out of the bundle, and of this folder
    dev = overlay(tmp_path, web={"binaries": {"universal": server}})
    with running(made(tmp_path), "--overlay", str(dev), env=ON_PATH) as run:
        run.until_ready(60)
        run.until_said(json.dumps(f"the bundle is changed by {dev}")[1:-1])
        connection = http.client.HTTPConnection("127.0.0.1", run.ports("web")["http"], timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"from source"
        connection.close()
        run.until_said(f"open http://127.0.0.1:{run.ports('web')['http']}/")
        run.until_on_record()
        record = json.loads((run.app_data / "runtime" / "instance.json").read_text())
        assert record["overlays"] == [str(dev)]
        dev.write_text('{"services": {"web": {"critical": "no"}}}')
        (problem,) = run.get("/validate").json()["errors"]
        assert problem["file"] == str(dev)
        assert problem["path"] == "services.web.critical"


def test_a_wrong_overlay_is_told_from_a_wrong_bundle(tmp_path: Path) -> None:
    dev = overlay(tmp_path, web={"dependencies": ["bd"]})
    flags = ["--manifest", str(made(tmp_path).path), "--overlay", str(dev)]
    place = f"{dev}: services.web.dependencies[0]: "
    run = bundlevisor("run", *flags, "--app-data", str(tmp_path / "data"))
    assert run.returncode == BAD_MANIFEST
    assert json.dumps(place)[1:-1] in run.stderr
    said = bundlevisor("validate", *flags, "--app-data", str(tmp_path / "data"))
    assert said.returncode == BAD_MANIFEST
    assert place in said.stdout
    assert not (tmp_path / "data").exists()


def test_files_that_an_overlay_names_are_looked_for(tmp_path: Path) -> None:
    dev = overlay(tmp_path, db={"binaries": {"universal": {"path": "../target/db"}}})
    flags = ["--manifest", str(made(tmp_path).path), "--overlay", str(dev)]
    said = bundlevisor("validate", *flags, "--app-data", str(tmp_path / "data"))
    missing = tmp_path.parent / "target" / "db"
    assert f"{dev}: services.db.binaries.universal.path: service 'db': binary not found" in (
        said.stdout
    )
    assert f"(looked in {missing})" in said.stdout


def test_an_archive_for_support_has_the_overlays_of_the_run(tmp_path: Path) -> None:
    dev = overlay(tmp_path, db={"env": {"LEVEL": "debug"}})
    archive = tmp_path / "support.zip"
    with running(made(tmp_path), "--overlay", str(dev), "--dry-run") as run:
        run.until_on_record()
        done = bundlevisor("support", "--app-data", str(run.app_data), "--output", str(archive))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(archive) as opened:
        assert json.loads(opened.read("overlay-1.json")) == json.loads(dev.read_text())
