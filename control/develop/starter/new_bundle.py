"""All files of a new bundle, as text: pure."""

from __future__ import annotations

import html
import json
from types import ModuleType
from typing import Any, Literal

from bundlevisor.control.develop.starter import node, page, python
from bundlevisor.manifest.format.header import header
from bundlevisor.manifest.format.platform import KEYS

Language = Literal["python", "node"]
LANGUAGES: dict[str, ModuleType] = {"python": python, "node": node}

README = """\
# @NAME@

A bundle of three services, run by bundlevisor:

- `api/` keeps a count and answers on a port of its own, that the runtime chooses;
- `worker/` has it count once a second; both share a secret that is made at the first start;
- `page/` is served by the runtime, which passes `/api` on to the API.

```sh
bundlevisor run --overlay dev.json --watch
```

starts them in order, says where the page is, and restarts what you change. In a second terminal,
in this folder:

```sh
bundlevisor status              # what runs
bundlevisor logs -f             # what the services say
bundlevisor config              # what is started, with which ports and variables
bundlevisor graph               # who needs whom
bundlevisor exec api -- env     # a command in a service's environment
bundlevisor validate            # what is wrong with bundle.json
bundlevisor schema --strict > bundle.schema.json    # for your editor
```

`bundle.json` is what you ship. `dev.json` changes it while you develop: other binaries, variables,
a Vite server as the page. Ctrl-C stops everything in order.
"""
IGNORED = """\
node_modules/
__pycache__/
.venv/
"""


def files(name: str, language: Language) -> dict[str, str]:
    """Return the text of each file by its path, with slashes; programs begin with ``#!``."""
    programs = LANGUAGES[language]
    found = {
        "bundle.json": _json(manifest(name, language)),
        "dev.json": _json(overlay()),
        "README.md": README.replace("@NAME@", name),
        ".gitignore": IGNORED,
        **{path: text.replace("@NAME@", html.escape(name)) for path, text in page.FILES.items()},
    }
    for path, text in programs.FILES.items():
        found[path] = text
        script = path.rpartition("/")[2]
        found[_on_windows(path)] = f'@{programs.ON_WINDOWS} "%~dp0{script}" %*\r\n'
    return found


def manifest(name: str, language: Language) -> dict[str, Any]:
    """Return ``bundle.json``."""
    return {
        **header(name, "0.1.0"),
        "secrets": [
            {
                "id": "worker_key",
                "class": "per_install_generated",
                "description": "Proves to the API that the worker asks it.",
                "target": {"type": "env", "name": "WORKER_KEY"},
            }
        ],
        "supervision": {"strategy": "rest_for_one"},
        "services": _services(LANGUAGES[language].SUFFIX),
    }


def _services(suffix: str) -> list[dict[str, Any]]:
    return [
        {
            "id": "api",
            "type": "api-binary",
            "description": "Keeps the count.",
            "binaries": _binaries(f"api/server{suffix}"),
            "secrets": ["worker_key"],
            "data_dirs": ["api"],
            "ports": {"requested": [{"name": "http"}]},
            "health": {"type": "http", "path": "/health", "port_name": "http"},
            "readiness": {"type": "health_success", "port_name": "http"},
        },
        {
            "id": "worker",
            "type": "worker",
            "description": "Has the API count.",
            "binaries": _binaries(f"worker/worker{suffix}"),
            "env": {"API_URL": "http://127.0.0.1:${api.http}"},
            "secrets": ["worker_key"],
            "dependencies": ["api"],
            "readiness": {"type": "log_match", "pattern": "at work"},
        },
        {
            "id": "page",
            "type": "ui-bundle",
            "description": "What the user sees.",
            "binaries": {"universal": {"path": "page"}},
            "dependencies": ["api"],
            "ports": {"requested": [{"name": "http"}]},
            "health": {"type": "http", "path": "/", "port_name": "http"},
            "readiness": {"type": "port_open", "port_name": "http"},
            "metadata": {"content_security_policy": "default-src 'self'"},
        },
    ]


def overlay() -> dict[str, Any]:
    """Return ``dev.json``."""
    return {"services": {"api": {"env": {"LOG_LEVEL": "debug"}}}}


def _binaries(path: str) -> dict[str, Any]:
    return {
        key: {"path": _on_windows(path) if key.startswith("win-") else path} for key in sorted(KEYS)
    }


def _on_windows(path: str) -> str:
    return f"{path.rpartition('.')[0]}.cmd"


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
