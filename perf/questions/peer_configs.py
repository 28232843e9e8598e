"""How other supervisors are told to run services: their configuration, and their command.

Written from their documentation (supervisord.org, skarnet.org/software/s6,
f1bonacc1.github.io/process-compose, pm2.keymetrics.io); each stays in the foreground and ends with
SIGTERM.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence

import msgspec


class Job(msgspec.Struct, frozen=True):
    """A service as a peer runs it."""

    id: str
    argv: list[str]
    needs: tuple[str, ...] = ()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.argv[self.argv.index("--port") + 1])


class Peer(msgspec.Struct, frozen=True):
    """A supervisor: its name, the program that must be on PATH, and how it is prepared."""

    name: str
    program: str
    prepare: Callable[[Sequence[Job], str], list[str]]
    """Writes the configuration of the jobs into a folder, and returns the command."""
    version: tuple[str, ...] = ()


def shell(jobs: Sequence[Job], folder: str) -> list[str]:
    """A script that starts everything at once, and passes SIGTERM on."""
    lines = ["#!/bin/sh", "trap 'kill $pids; wait; exit 0' TERM", "pids="]
    for job in jobs:
        lines += [f'{shlex.join(job.argv)} & pids="$pids $!"']
    return ["sh", _written(folder, "services.sh", "\n".join([*lines, "wait", ""]))]


def supervisord(jobs: Sequence[Job], folder: str) -> list[str]:
    """supervisord in the foreground; it has no dependencies, only an order of starts."""
    files = [f"{kind}={folder}/supervisord.{kind[:3]}" for kind in ("logfile", "pidfile")]
    parts = ["\n".join(["[supervisord]", "nodaemon=true", *files, f"childlogdir={folder}", ""])]
    for job in jobs:
        command = shlex.join(job.argv).replace("%", "%%")
        parts.append(f"[program:{job.id}]\ncommand={command}\nautorestart=true\nstartsecs=0\n")
    return ["supervisord", "-n", "-c", _written(folder, "supervisord.conf", "\n".join(parts))]


def s6(jobs: Sequence[Job], folder: str) -> list[str]:
    """A scan directory for s6-svscan; SIGTERM ends all of it."""
    scan = os.path.join(folder, "scan")
    for job in jobs:
        run = _written(
            os.path.join(scan, job.id), "run", f"#!/bin/sh\nexec {shlex.join(job.argv)}\n"
        )
        os.chmod(run, 0o755)
    return ["s6-svscan", scan]


def process_compose(jobs: Sequence[Job], folder: str) -> list[str]:
    """Process-compose without its screen and its port; JSON is YAML. It waits for dependencies."""
    processes = {
        job.id: {
            "command": shlex.join(job.argv),
            "readiness_probe": {
                "http_get": {
                    "host": "127.0.0.1",
                    "scheme": "http",
                    "path": "/health",
                    "port": str(job.port),
                },
                "initial_delay_seconds": 0,
                "period_seconds": 1,
            },
            "depends_on": {name: {"condition": "process_healthy"} for name in job.needs},
            "availability": {"restart": "always"},
        }
        for job in jobs
    }
    file = _written(
        folder, "process-compose.yaml", _json({"version": "0.5", "processes": processes})
    )
    return ["process-compose", "up", "-f", file, "--tui=false", "--no-server"]


def pm2(jobs: Sequence[Job], folder: str) -> list[str]:
    """pm2-runtime, which stays in the foreground; it has no dependencies."""
    apps = [
        {
            "name": job.id,
            "script": job.argv[0],
            "args": job.argv[1:],
            "interpreter": "none",
            "exec_mode": "fork",
            "pmx": False,
            "out_file": f"{folder}/{job.id}.log",
            "error_file": f"{folder}/{job.id}.err",
        }
        for job in jobs
    ]
    file = _written(folder, "ecosystem.config.json", _json({"apps": apps}))
    return ["env", f"PM2_HOME={folder}/pm2", "pm2-runtime", "start", file]


def _json(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content), indent=1).decode()


def _written(folder: str, name: str, text: str) -> str:
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


PEERS = {
    peer.name: peer
    for peer in (
        Peer("sh", "sh", shell),
        Peer("supervisord", "supervisord", supervisord, ("supervisord", "--version")),
        Peer("s6", "s6-svscan", s6),
        Peer(
            "process-compose",
            "process-compose",
            process_compose,
            ("process-compose", "version", "--short"),
        ),
        Peer("pm2", "pm2-runtime", pm2, ("pm2-runtime", "--version")),
    )
}
