"""A bundle that has one of everything."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from exercising.place import Place
from shipping.targets import Target
from shipping.tools import refuse_foreign, run as run_tool, zig, zig_environment

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "shipping", "native", "service.c")


def make_bundle(place: Place, target: Target) -> None:
    """Make a bundle that has one of everything."""
    refuse_foreign(place.outside(), os.path.join("bundle", "bundle.json"))
    shutil.rmtree(place.outside(), ignore_errors=True)
    for folder in ("bundle/bin", "bundle/web"):
        os.makedirs(place.outside(folder))
    program = place.outside("bundle", "bin", "program")
    linux = {"x86_64": "x86_64-linux-musl", "aarch64": "aarch64-linux-musl"}
    triple = linux[target.machine] if target.system == "linux" else target.zig
    libraries = ("-lws2_32",) if target.system == "win32" else ("-static",)
    run_tool(
        zig(),
        "cc",
        "-target",
        triple,
        "-O2",
        "-s",
        "-o",
        program + target.exe,
        PROGRAM,
        *libraries,
        env=zig_environment(),
    )
    with open(place.outside("bundle", "web", "index.html"), "w", encoding="utf-8") as file:
        file.write("<!doctype html><title>page</title>\n" + "<p>words</p>\n" * 400)
    with open(place.outside("bundle", "bundle.json"), "w", encoding="utf-8") as file:
        json.dump(_manifest(target), file)
    with open(place.outside("bundle", "wrong.json"), "w", encoding="utf-8") as file:
        file.write('{"schema_version": "v0.1", "services": [{"id": 3, "\u202e": 0}]}')


SECRETS = [
    {
        "id": "made",
        "class": "per_install_generated",
        "format": "^[0-9a-f]{32}$",
        "generator": {"type": "random", "length": 32, "charset": "hex"},
        "target": {"type": "env", "name": "SECRET"},
    },
    {
        "id": "asked",
        "class": "user_prompt",
        "format": "^[a-zö]+$",
        "target": {"type": "env", "name": "SECRET"},
    },
    {
        "id": "file",
        "class": "per_install_generated",
        "target": {"type": "file", "name": "secret.txt"},
    },
]


def _manifest(target: Target) -> dict[str, Any]:
    return {
        "schema_version": "v0.1",
        "target": "desktop",
        "app": {"name": "Exercise", "version": "1.0.0"},
        "ipc": {
            "mode": "loopback-http",
            "host": "127.0.0.1",
            "port": 0,
            "auth_token_path": "runtime/auth-token",
        },
        "telemetry": {"file": "telemetry/events.jsonl"},
        "ports": {"default_range": {"min": 22000, "max": 22999}},
        "secrets": SECRETS,
        "services": _services(f"bin/program{target.exe}"),
    }


def _services(binary: str) -> list[dict[str, Any]]:
    return [
        _service(
            "api",
            binary,
            secrets=["made", "file"],
            data_dirs=["api"],
            migrations=[{"version": "1.0.0", "command": [binary, "migrate"]}],
            assets=[{"path": binary}],
            gpu={"requirement": "optional"},
        ),
        _service("asks", binary, secrets=["asked"], dependencies=["api"], critical=False),
        _service(
            "matched",
            binary,
            dependencies=["api"],
            health={"type": "command", "command": [binary, "check"]},
            readiness={"type": "log_match", "pattern": "listening on [0-9]+"},
        ),
        _service(
            "tcp",
            binary,
            health={"type": "tcp", "port_name": "http"},
            readiness={"type": "port_open", "port_name": "http"},
        ),
        _service("playwright-driver", binary, readiness={"type": "dependencies_ready"}),
        _service("later", binary, metadata={"run_mode": "on_demand"}),
        {
            "id": "web",
            "type": "ui-bundle",
            "binaries": {"universal": {"path": "web"}},
            "dependencies": ["api"],
            "ports": {"requested": [{"name": "http"}]},
            "health": {"type": "http", "path": "/", "port_name": "http"},
            "readiness": {"type": "port_open", "port_name": "http"},
        },
    ]


def _service(id_: str, binary: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "type": "api-binary",
        "binaries": {"universal": {"path": binary}},
        "ports": {"requested": [{"name": "http"}]},
        "health": {"type": "http", "path": "/", "port_name": "http", "interval_ms": 200},
        "readiness": {"type": "health_success", "port_name": "http"},
        "stop": {"timeout_ms": 2000},
        **fields,
    }


def leave_out_the_page(place: Place) -> None:
    """Make of it a bundle of services alone."""
    path = place.outside("bundle", "bundle.json")
    with open(path, encoding="utf-8") as file:
        manifest = json.load(file)
    manifest["services"] = [one for one in manifest["services"] if one["type"] != "ui-bundle"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(manifest, file)
