"""What the runtime's own files under app-data are called: who writes or reads one has it from here.

Names are relative to app-data, with forward slashes. No import but ``os``: the guardian reads this.
"""

from __future__ import annotations

import os

RUNTIME = "runtime"
"""The folder of what belongs to the running instance, or to the next start."""
SECRETS = "secrets.json"
MIGRATIONS = "migrations.json"
INSTANCE = f"{RUNTIME}/instance.json"
IPC_PORT = f"{RUNTIME}/ipc_port"
LAST_END = f"{RUNTIME}/last_end.json"
LOCK = f"{RUNTIME}/lock"
PORTS = f"{RUNTIME}/ports.json"
TIMELINES = f"{RUNTIME}/timelines.json"
VERIFIED = f"{RUNTIME}/verified.json"
FILES = (SECRETS, MIGRATIONS, INSTANCE, IPC_PORT, LAST_END, LOCK, PORTS, TIMELINES, VERIFIED)

SNAPSHOTS = "snapshots"
"""Copies of data folders from before an upgrade."""
LOGS = "logs"
"""Where services log whose ``log_dir`` says nothing else."""

USUAL_TOKEN = f"{RUNTIME}/auth-token"
"""Where bundles have the token's file, and where it is looked for without the bundle."""
USUAL_TELEMETRY = "telemetry/events.jsonl"
"""Where bundles have their events, and where they are looked for without the bundle."""

OLDER = ".1"
"""What the older of the two telemetry files ends with, behind ``telemetry.file``."""
TELEMETRY = ("", OLDER)
ROTATED = ("", ".1", ".2")
"""What the names of a log's parts end with, the newest first."""
TIMES = ".times"
"""What the index beside a part of a log ends with, behind the part's name."""
OF_A_LOG = (*ROTATED, *(f"{part}{TIMES}" for part in ROTATED))
RESTORING, BROKEN = ".restoring", ".broken"
"""What stands beside a data folder, under its name and these, while an upgrade is taken back."""


def below(app_data: str, name: str) -> str:
    """Return the path of one of these in an app-data folder, as this platform writes it."""
    return os.path.join(app_data, *name.split("/"))


def log_name(service_id: str) -> str:
    """Return what the log of a service is called in a folder."""
    return f"{service_id}.log"
