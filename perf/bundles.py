"""Bundles to measure with: made on disk, in the shapes that start-up targets are stated for."""

from __future__ import annotations

import os
import random
import re
import socket
from contextlib import suppress
from typing import Any

import msgspec

from bundlevisor.manifest.format.app_data import USUAL_TOKEN
from bundlevisor.manifest.format.header import header
from bundlevisor.manifest.format.platform import KEYS
from bundlevisor.perf import programs

RECORD = "perf-record"
"""The services' record, relative to app-data: fresh for each run, as app-data is."""

SHAPES = {
    "chain": "each service needs the one before it; 40 ms each",
    "fan": "that many services behind one; 40 ms each",
    "layers": "five layers, each service needs the whole layer before; 20 ms each",
    "independent": "no dependencies; 20 ms each",
}


MOST = 5000
"""Services of a shape: each has a port below the ephemeral range."""


class Planned(msgspec.Struct, frozen=True):
    """One service of a shape; it listens ``delay_ms`` after its start."""

    id: str
    delay_ms: int
    dependencies: tuple[str, ...] = ()


class Bundle(msgspec.Struct, frozen=True):
    """A bundle on disk. ``records`` says whether its services keep the record of this kit."""

    manifest: str
    port: int
    """The control port that the bundle asks for; 0 when only the runtime knows it."""
    token: str
    """The token's file, relative to app-data."""
    dependencies: dict[str, tuple[str, ...]]
    records: bool = True
    services: tuple[Planned, ...] = ()
    """The services of a made bundle."""
    binary: str = ""
    """The program that each of them runs."""


def shape(name: str) -> list[Planned]:
    """Return the services of ``chainN``, ``fanN``, ``layersN`` or ``independentN``.

    Raises ValueError for another name, and for more than ``MOST``.
    """
    found = re.fullmatch(rf"({'|'.join(SHAPES)})([1-9]\d*)", name)
    if found is None:
        known = ", ".join(f"{word}N ({meaning})" for word, meaning in SHAPES.items())
        raise ValueError(f"unknown shape '{name}'; shapes are {known}")
    word, count = found[1], int(found[2][:9])
    if count > MOST:
        raise ValueError(f"'{name}' are more than {MOST} services")
    if word == "chain":
        return [Planned(f"s{i}", 40, (f"s{i - 1}",) if i else ()) for i in range(count)]
    if word == "fan":
        return [Planned("base", 40), *(Planned(f"s{i}", 40, ("base",)) for i in range(count))]
    if word == "layers":
        return _layers(count, depth=5)
    return [Planned(f"s{i}", 20) for i in range(count)]


def _layers(count: int, depth: int) -> list[Planned]:
    services: list[Planned] = []
    previous: tuple[str, ...] = ()
    for layer in range(depth):
        width = count // depth + (layer < count % depth)
        here = [Planned(f"l{layer}s{i}", 20, previous) for i in range(width)]
        services += here
        previous = tuple(service.id for service in here)
    return services


def write(
    services: list[Planned],
    folder: str,
    program: programs.Program,
    probe_ms: int = 500,
    pages: int = 0,
) -> Bundle:
    """Write a bundle of ``services`` into ``folder``, on a control port that is free now.

    Readiness is a passed health check (GET /health); ``probe_ms`` is its interval. Besides there
    are ``pages`` that the runtime serves itself, which keep no record.
    """
    os.makedirs(os.path.join(folder, "bin"), exist_ok=True)
    binary = f"bin/{programs.install(program, os.path.join(folder, 'bin'))}"
    port = free_port()
    manifest = {
        **header("perf", "1.0.0", port),
        "ports": {"default_range": _service_ports(len(services) + pages)},
        "services": [
            *(_service(service, binary, probe_ms) for service in services),
            *(_page(f"page-{number}", folder) for number in range(1, pages + 1)),
        ],
    }
    path = os.path.join(folder, "bundle.json")
    with open(path, "wb") as file:
        file.write(msgspec.json.encode(manifest))
    return Bundle(
        manifest=path,
        port=port,
        token=USUAL_TOKEN,
        dependencies={service.id: service.dependencies for service in services},
        services=tuple(services),
        binary=os.path.join(folder, binary),
    )


def existing(manifest: str) -> Bundle:
    """Describe somebody's own bundle; its services keep no record.

    Raises OSError or msgspec.DecodeError when it cannot be read.
    """
    with open(manifest, "rb") as file:
        content: dict[str, Any] = msgspec.json.decode(file.read())
    return Bundle(
        manifest=os.path.abspath(manifest),
        port=content["ipc"]["port"],
        token=content["ipc"]["auth_token_path"],
        dependencies={
            service["id"]: tuple(service.get("dependencies") or ())
            for service in content["services"]
        },
        records=False,
    )


def _service(service: Planned, binary: str, probe_ms: int) -> dict[str, Any]:
    args = ["--id", service.id, "--delay-ms", str(service.delay_ms)]
    args += ["--port", f"${{{service.id}.http}}", "--record", f"${{data}}/{RECORD}"]
    return {
        "id": service.id,
        "type": "api-binary",
        "binaries": {key: {"path": binary, "args": args} for key in KEYS},
        "dependencies": list(service.dependencies),
        "ports": {"requested": [{"name": "http"}]},
        "health": {
            "type": "http",
            "path": "/health",
            "port_name": "http",
            "interval_ms": probe_ms,
        },
        "readiness": {"type": "health_success", "port_name": "http", "timeout_ms": 60_000},
    }


def _page(id_: str, folder: str) -> dict[str, Any]:
    site = os.path.join(folder, "site")
    os.makedirs(site, exist_ok=True)
    with open(os.path.join(site, "index.html"), "w", encoding="utf-8") as file:
        file.write("a page")
    return {
        "id": id_,
        "type": "ui-bundle",
        "binaries": {key: {"path": "site"} for key in KEYS},
        "ports": {"requested": [{"name": "http"}]},
    }


def quiet_ports() -> range:
    """Ports below the system's ephemeral range: no outgoing connection takes one by chance."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            first = int(file.read().split()[0])
    except OSError:
        first = 32768
    return range(20000, min(first, 32768)) if first > 24000 else range(10000, 65000)


def free_port() -> int:
    """Return a loopback port that can be bound now, outside of the ephemeral range."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return as many such ports, each another one."""
    ports = quiet_ports()
    found: list[int] = []
    for port in random.sample(ports, len(ports)):
        with socket.socket() as attempt, suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"too few free loopback ports in {ports.start}-{ports.stop - 1}")


def _service_ports(count: int) -> dict[str, int]:
    ports = quiet_ports()
    size = 2 * count + 50
    first = random.choice(range(ports.start, ports.stop - size))
    return {"min": first, "max": first + size}
