"""Fresh interpreters: what is loaded in this one must not matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PATHS = [str(ROOT), *sys.path]
FIRST = """
from bundlevisor.actors.stand_ins import for_run
for_run.import_typing()
for_run.import_msgspec()
for_run.import_subprocess()
for_run.import_multiprocessing()
for_run.import_pykka()
"""
START = """
from bundlevisor.actors.stand_ins import for_run
for_run.import_multiprocessing()
for_run.import_for_opening()
for_run.import_for_services()
"""
LEAN = (
    FIRST
    + """
from bundlevisor.actors.stand_ins import for_api
for_api.import_falcon()
for_api.import_urls()
for_api.import_waitress()
"""
)


def child(code: str) -> Any:
    """Run code that prints one JSON value in a fresh interpreter; return the value."""
    start = f"import sys; sys.path += {PATHS!r}\n"
    # From stdin: for -c later Pythons load linecache themselves.
    command = [sys.executable, "-I", "-S", "-W", "error", "-"]
    done = subprocess.run(command, input=start + code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
