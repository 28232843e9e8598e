"""Where a service's log lies on this machine."""

from __future__ import annotations

import os

from bundlevisor.manifest.format.app_data import below
from bundlevisor.manifest.format.paths import normalise
from bundlevisor.manifest.format.reserved_paths import log_place
from bundlevisor.manifest.format.schema import Service


def log_path(service: Service, app_data: str) -> str:
    """Return the log file's path: where its manifest says, seen what is a file already.

    Raises PathRefused (a ValueError) for a path that leaves app-data, or means something else here.
    """
    normalise(service.log_dir)
    return below(app_data, log_place(service, lambda path: os.path.isfile(below(app_data, path))))
