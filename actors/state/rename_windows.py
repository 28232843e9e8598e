"""Renaming on Windows: refused while somebody (a virus scanner, an indexer) has the target open."""

from __future__ import annotations

import os
import time

PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between the tries: scanners let go within milliseconds. Under half a second in all."""


def replace(source: str, target: str) -> None:
    """Rename over ``target``; tried again for up to 0.4 s while it is open elsewhere."""
    for pause in PAUSES:
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(source, target)


def sync_folder(folder: str) -> None:
    """NTFS journals its folders, and a folder cannot be opened to be synced."""
