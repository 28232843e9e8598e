"""``config`` and ``graph``: what would be started, said without starting or writing anything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.control.develop.graph_text import Branches, tree
from bundlevisor.manifest.plan.graph import Graph
from bundlevisor.manifest.read import load
from bundlevisor.testing.ports import free_block
from tests import absent
from tests.bundle_maker import Bundle, bundle, bundlevisor, running
from tests.installed import COMMAND

PROGRAM = "db.cmd" if os.name == "nt" else "db"
SECRET = {"class": "per_install_generated"}


def made(folder: Path) -> Bundle:
    return (
        bundle(folder)
        .service("db", secrets=["key", "cert"], description="Keeps it")
        .service(
            "api", "reports_environment", deps=["db"], env={"DB": "http://127.0.0.1:${db.http}"}
        )
        .service("tool", ports=(), critical=False, metadata={"run_mode": "on_demand"})
        .service("web", deps=["api", "db"])
        .set(
            secrets=[
                {"id": "key", "target": {"type": "env", "name": "DB_KEY"}, **SECRET},
                {"id": "cert", "target": {"type": "file", "name": "keys/cert"}, **SECRET},
            ]
        )
        .write()
    )


def config(of: Bundle, *flags: str, code: int = 0) -> Any:
    place = ["--manifest", str(of.path), "--app-data", str(of.app_data)]
    done = bundlevisor("config", *place, *flags, env={"INHERITED_TOKEN": "hush"})
    assert done.returncode == code, done.stderr
    assert "hush" not in done.stdout
    return json.loads(done.stdout) if "--json" in flags else done.stdout


def test_what_is_shown_is_what_a_start_starts(tmp_path: Path) -> None:
    of = made(tmp_path)
    before = config(of, "--json")
    assert not of.app_data.exists()
    services = {one["id"]: one for one in before["services"]}
    assert [one["wave"] for one in before["services"]] == [0, 0, 1, 2]
    assert services["db"]["command"][0] == str(of.root / "bin" / PROGRAM)
    assert services["db"]["environment"]["DB_KEY"] == "********"
    assert services["db"]["environment"]["SECRET_FILE_CERT"] == str(of.app_data / "keys" / "cert")
    assert [one["has_value"] for one in services["db"]["secrets"]] == [False, False]
    assert services["tool"]["on_demand"]
    with running(of) as run:
        run.until_ready()
        value = json.loads((of.app_data / "secrets.json").read_text())["secrets"]["key"]
        text = config(of)
        after = {one["id"]: one for one in config(of, "--json")["services"]}
        assert value not in text
        assert value not in json.dumps(after)
        for id_ in ("db", "api", "web"):
            assert after[id_]["ports"] == run.ports(id_)
        (given,) = run.events("api", "environment")
        shown = after["api"]["environment"]
        assert shown["DB"] == f"http://127.0.0.1:{run.ports('db')['http']}"
        assert shown.pop("PATH").replace("$PATH", os.environ["PATH"]) == given["env"]["PATH"]
        del shown["SERVICE_INSTANCE_ID"]
        assert {name: given["env"].get(name) for name in shown} == shown
        assert after["api"]["cwd"] == given["cwd"]
        assert after["api"]["command"][1:] == given["argv"][1:]
    assert [one["has_value"] for one in after["db"]["secrets"]] == [True, True]


def test_text_is_in_the_order_of_the_start_and_says_what_is_shared_once(tmp_path: Path) -> None:
    text = config(made(tmp_path))
    assert text.count("APP_DATA_DIR=") == 1
    assert "    DB_KEY=********  (secret key, no value yet: made at the first start)" in text
    heads = [line for line in text.splitlines() if line and line[0] != " "][2:]
    assert heads == [
        "db (api-binary), starts first",
        "tool (worker), starts first, only on demand",
        "api (api-binary), after db",
        "web (api-binary), after api, db",
    ]
    only = config(made(tmp_path), "api")
    assert only.startswith("api (api-binary), after db\n")


def test_a_service_that_says_itself_when_it_is_ready_is_told_as_such(tmp_path: Path) -> None:
    readiness = {"type": "notify", "timeout_ms": 10000}
    text = config(bundle(tmp_path).service("db", readiness=readiness).write())
    assert "  ready     when it says so itself, within 10 s\n" in text


def test_lines_fit_a_terminal_of_80_columns(tmp_path: Path) -> None:
    if os.name == "nt":
        absent.skip("a terminal of POSIX")
    from tests.control.terminal import on_terminal

    of = made(tmp_path)
    flags = ["--manifest", str(of.path), "--app-data", str(of.app_data)]
    for command in ("config", "graph"):
        told = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
        shown = on_terminal([*COMMAND, command, *flags], told).decode()
        long = [line for line in shown.splitlines() if len(line) > 80 and " " in line.strip()]
        assert long == []


def test_what_cannot_be_started_is_a_problem_and_exit_1(tmp_path: Path) -> None:
    of = made(tmp_path)
    (of.root / "bin" / PROGRAM).unlink()
    text = config(of, code=1)
    assert f"  PROBLEM   binary not found: bin/{PROGRAM}" in text


def test_a_start_that_would_miss_a_file_is_a_problem_too(tmp_path: Path) -> None:
    page = {"universal": {"path": "ui/dist"}}
    astray = {"universal": {"path": f"bin/{PROGRAM}", "cwd": "nowhere"}}
    step = {"version": "1", "command": ["bin/migrate"]}
    asks = {"type": "command", "command": ["bin/check"]}
    of = (
        bundle(tmp_path)
        .service("db", startup={"timeout_ms": 5000})
        .service("page", type="ui-bundle", binaries=page, health=None, readiness=None)
        .service("astray", binaries=astray)
        .service("steps", migrations=[step])
        .service("asked", health=asks, readiness=None)
        .service("model", assets=[{"path": "model.bin", "sha256": "0" * 64}])
        .write()
    )
    planned = {one["id"]: one for one in config(of, "--json", code=1)["services"]}
    found = bundlevisor("validate", "--json", "--manifest", str(of.path)).stdout
    messages = {one["service"]: one["message"] for one in json.loads(found)["errors"]}
    assert {id_: one["problem"] for id_, one in planned.items()} == {"db": "", **messages}
    assert set(messages) == set(planned) - {"db"}
    assert planned["db"]["ready_when"].endswith(", within 5 s")
    assert planned["asked"]["ready_when"].endswith(" says so, within 30 s")


def test_who_names_a_port_that_its_service_does_not_get_is_told_so(tmp_path: Path) -> None:
    port = free_block(1)
    one = {"http": {"range": {"min": port, "max": port}}}
    of = bundle(tmp_path).service("db", ports=one).service("api", ports=one)
    of.service("web", ports=("http",), env={"API": "${api.http}", "DB": "${db.http}"}).write()
    planned = {one["id"]: one for one in config(of, "--json", code=1)["services"]}
    assert planned["db"]["problem"] == ""
    assert "no free port for 'http'" in planned["api"]["problem"]
    assert planned["web"]["problem"] == "service 'web': there is no free port for ${api.http}"


def test_a_wrong_bundle_and_a_wrong_id_are_refused(tmp_path: Path) -> None:
    of = made(tmp_path)
    assert bundlevisor("config", "dv", "--manifest", str(of.path)).stderr.startswith(
        "bundlevisor: there is no service 'dv' in this bundle (did you mean 'db'?)"
    )
    of.service("db", deps=["web"]).write()
    for command in ("config", "graph"):
        done = bundlevisor(command, "--manifest", str(of.path))
        assert done.returncode == 2
        assert "circle" in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_json_is_utf_8_where_text_is_printed_in_another_encoding(
    tmp_path: Path, encoding: str
) -> None:
    of = made(tmp_path).set(app={"name": "Jürgen 日 😀", "version": "1"}).write()
    done = subprocess.run(
        [sys.executable, "-m", "bundlevisor", "config", "--json", "--manifest", str(of.path)],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["app"] == "Jürgen 日 😀"


def test_the_graph_is_a_tree_of_what_is_needed(tmp_path: Path) -> None:
    done = bundlevisor(
        "graph", "--manifest", str(made(tmp_path).path), env={"PYTHONIOENCODING": "utf-8"}
    )
    assert done.stdout.splitlines() == [
        "tool      worker, on demand, not critical",
        "web       api-binary",
        "├─ api    api-binary",
        "│  └─ db  api-binary: Keeps it",
        "└─ db",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", None])
def test_what_cannot_show_the_strokes_gets_ascii(tmp_path: Path, encoding: str | None) -> None:
    loaded = load.read(str(made(tmp_path).path))
    assert loaded.manifest is not None
    drawn = tree(loaded.manifest, Graph.of(loaded.manifest), Branches(encoding), None)
    assert "|- api    api-binary" in drawn
    assert "|  `- db" in drawn


def test_a_chain_longer_than_the_stack_is_drawn(tmp_path: Path) -> None:
    of = bundle(tmp_path)
    for number in range(1500):
        of.service(f"s{number}", deps=[f"s{number - 1}"] if number else [], ports=())
    loaded = load.parse(json.dumps(of.document).encode())
    assert loaded.manifest is not None
    drawn = tree(loaded.manifest, Graph.of(loaded.manifest), Branches("utf-8"), None)
    assert len(drawn.splitlines()) == 1500


def test_mermaid_and_dot(tmp_path: Path) -> None:
    path = str(made(tmp_path).path)
    mermaid = bundlevisor("graph", "--manifest", path, "--mermaid").stdout.splitlines()
    assert mermaid[0] == "flowchart TD"
    assert '    s0["db"]' in mermaid
    assert mermaid[-3:] == ["    s1 --> s0", "    s3 --> s1", "    s3 --> s0"]
    dot = bundlevisor("graph", "--manifest", path, "--dot").stdout
    assert '    "web" -> "api";\n' in dot
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=dot, text=True, capture_output=True, check=True)


def test_overlays_count(tmp_path: Path) -> None:
    of = made(tmp_path)
    dev = of.root / "dev.json"
    dev.write_text('{"services": {"web": null, "db": {"env": {"LEVEL": "debug"}}}}')
    shown = config(of, "--json", "--overlay", str(dev))
    assert shown["overlays"] == [os.path.abspath(dev)]
    assert [one["id"] for one in shown["services"]] == ["db", "tool", "api"]
    assert shown["services"][0]["environment"]["LEVEL"] == "debug"
