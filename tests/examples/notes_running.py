"""The notes bundle in a real runtime, spoken to as the page does."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bundle_maker import Bundle
from tests.examples.notes_by_hand import NOTES
from tests.live_runtime import Run, running

# The services say `#!/usr/bin/env python3`: let that be the Python of the tests.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def copied_notes(folder: Path) -> Path:
    """Copy the bundle, so that a test may change it; return its root."""
    root = folder / "bundle"
    shutil.copytree(NOTES, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


class Page:
    """The page's side of a running bundle."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.address = f"http://127.0.0.1:{run.ports('web')['http']}"

    def fetch(self, path: str) -> bytes:
        """GET a file of the page."""
        with urllib.request.urlopen(self.address + path, timeout=20) as response:
            content: bytes = response.read()
            return content

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API through the page's own address."""
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Origin": self.address},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.loads(response.read() or b"null")

    def write(self, text: str) -> None:
        """Save a note."""
        self.ask("POST", "/api/notes", {"text": text})

    def notes(self, word: str = "") -> list[str]:
        """Return the texts of the notes, newest first."""
        return [note["text"] for note in self.ask("GET", f"/api/notes?q={word}")["notes"]]

    def is_answered(self) -> bool:
        """Whether the API, and the store behind it, can be reached through the page's address."""
        try:
            self.notes()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code not in (502, 503)
        return True


@contextlib.contextmanager
def opened(bundle: Bundle) -> Iterator[Page]:
    """Run the bundle until it is ready, and open its page; it is stopped in order at the end."""
    with running(bundle, env={"PATH": PATH}) as run:
        run.until_ready(wait=40)
        yield Page(run)
        if run.process.poll() is None:
            run.post("/shutdown")
        assert run.wait_gone(20) == 0
