"""The fields of the bundle as a whole, of its secrets and of its ports."""

from __future__ import annotations

from typing import Any

FIELDS: dict[str, dict[str, tuple[str, Any]]] = {
    "Manifest": {
        "$schema": (
            (
                "Where an editor finds the JSON Schema of this file; the runtime does not look"
                " at it."
            ),
            "./bundle.schema.json",
        ),
        "schema_version": ("The version of the format. '0.1' means the same as 'v0.1'.", "v0.1"),
        "target": ("What the bundle is made for: a desktop application.", "desktop"),
        "app": (
            (
                "The application: its name names the app-data folder, its version decides which"
                " migrations run."
            ),
            {"name": "Notes", "version": "1.0.0"},
        ),
        "ipc": (
            "Where the control API listens, and where its token is written.",
            {
                "mode": "loopback-http",
                "host": "127.0.0.1",
                "port": 47710,
                "auth_token_path": "runtime/auth-token",
            },
        ),
        "telemetry": (
            "Where events are written, one JSON object a line.",
            {"file": "telemetry/events.jsonl"},
        ),
        "services": (
            ("The services of the bundle, in any order: dependencies decide what starts first."),
            [{"id": "api", "binaries": {"linux-x64": {"path": "bin/api"}}}],
        ),
        "ports": (
            "The range from which ports are given out, and ports that never are.",
            {"default_range": {"min": 47000, "max": 48000}, "reserved": [47500]},
        ),
        "swaps": (
            "Dependencies that the packager replaced, for readers; 'status --json' shows them.",
            [{"original": "postgres", "replacement": "sqlite", "reason": "one user"}],
        ),
        "secrets": (
            "Values that only the services which list them are given.",
            [
                {
                    "id": "db_password",
                    "class": "per_install_generated",
                    "target": {"type": "env", "name": "DB_PASSWORD"},
                }
            ],
        ),
        "code_signing": ("Belongs to the packager; not looked at.", {"identity": None}),
        "build": ("Belongs to the packager; not looked at.", {"commit": "0f3c"}),
        "metadata": ("Belongs to whoever writes it; not looked at.", {"channel": "beta"}),
        "supervision": (
            "What happens to the other services when one has failed.",
            {"strategy": "rest_for_one", "intensity": 5, "period_ms": 60000},
        ),
    },
    "App": {
        "name": (
            (
                "The application's name. In lower case, with '-' for blanks and path characters,"
                " it names the default app-data folder."
            ),
            "Notes",
        ),
        "version": (
            (
                "The application's version. Another one than at the last start is an upgrade (or"
                " a downgrade) to migrations with 'run_on'."
            ),
            "1.0.0",
        ),
        "description": ("A line about the application, for readers.", "Notes with a search"),
    },
    "Ipc": {
        "mode": ("How the control API is spoken: HTTP on a loopback address.", "loopback-http"),
        "host": (
            (
                "The address that the control API listens on: a loopback address or 'localhost';"
                " any other one is an error."
            ),
            "127.0.0.1",
        ),
        "port": (
            (
                "The port of the control API. 0, or one that is taken, means any free one; the"
                " port in force stands in <app-data>/runtime/ipc_port."
            ),
            47710,
        ),
        "auth_token_path": (
            (
                "The file with the token of the control API, relative to app-data. It is made at"
                " each start, readable for the user alone, and removed at the end."
            ),
            "runtime/auth-token",
        ),
    },
    "Telemetry": {
        "file": (
            "The file of events, relative to app-data; after 10 MiB it becomes FILE.1.",
            "telemetry/events.jsonl",
        ),
        "upload_url": (
            "Where the application may send the events; the runtime itself sends nothing.",
            "https://example.com/events",
        ),
    },
    "PortRange": {
        "min": ("The lowest port that may be given out, 1 to 65535.", 47000),
        "max": ("The highest port that may be given out; not below 'min'.", 48000),
    },
    "PortRules": {
        "default_range": (
            "The range for ports that name none of their own. Without it 47000 to 48000.",
            {"min": 47000, "max": 48000},
        ),
        "reserved": ("Ports that are never given out.", [47500]),
    },
    "Swap": {
        "original": ("What the application used before.", "postgres"),
        "replacement": ("What the bundle has instead.", "sqlite"),
        "reason": ("Why it was replaced.", "no server to install"),
        "limitations": ("What does not work with the replacement.", "one writer at a time"),
    },
    "Secret": {
        "id": ("The secret's name: services list it in 'secrets'.", "db_password"),
        "class": (
            (
                "Where the value comes from: 'per_install_generated' is made at the first start"
                " and kept, 'user_prompt' and 'remote_fetch' are supplied through the control"
                " API. 'infrastructure' must never be in a bundle and is an error."
            ),
            "per_install_generated",
        ),
        "target": (
            "How a service is given the value: a variable or a file.",
            {"type": "env", "name": "DB_PASSWORD"},
        ),
        "description": ("What the secret is for; shown to whoever is asked for it.", "Mail login"),
        "format": (
            ("A regular expression (RE2) that a value must match, to be anchored by its author."),
            "^[A-Za-z0-9]{32}$",
        ),
        "required": ("Whether the services that list the secret wait for a value.", True),
        "prompt": (
            "What the application shows when it asks the user for the value.",
            {"label": "Mail password", "hint": "16 letters"},
        ),
        "generator": (
            (
                "How the value of a 'per_install_generated' secret is made; by default 32"
                " letters and digits."
            ),
            {"type": "random", "length": 32, "charset": "alnum"},
        ),
    },
    "SecretPrompt": {
        "label": ("The name of the field that the user fills in.", "Mail password"),
        "description": ("A sentence above the field.", "From the settings of your mailbox"),
        "hint": ("What stands in the empty field.", "16 letters"),
    },
    "SecretGenerator": {
        "type": (
            (
                "'random' draws letters from 'charset'; 'uuid' makes a UUID of version 4, and"
                " 'length' and 'charset' mean nothing."
            ),
            "random",
        ),
        "length": ("How many letters are drawn, 1 to 4096.", 32),
        "charset": (
            (
                "The letters to draw from: alnum (or alphanumeric), alpha, lower, upper, digits"
                " (or numeric), hex, base64 (URL-safe), or a text of the letters themselves."
            ),
            "alnum",
        ),
    },
    "SecretTarget": {
        "type": (
            (
                "'env' sets a variable of the service, 'file' writes a file below app-data that"
                " is there only while a service which uses it runs; SECRET_FILE_<ID> has its"
                " path."
            ),
            "env",
        ),
        "name": (
            (
                "The variable's name, or the file's path relative to app-data. By default the"
                " secret's id, for a variable in upper case."
            ),
            "DB_PASSWORD",
        ),
    },
}
"""The tables of the Structs, each field with its meaning and an example."""
