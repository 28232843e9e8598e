"""Where a service's log lies."""

from __future__ import annotations

import os
from collections.abc import Callable

from bundlevisor.manifest.format.paths import normalise
from bundlevisor.manifest.format.schema import Service


def log_path(service: Service, app_data: str, exists_as_file: Callable[[str], bool]) -> str:
    """Return the log file's path below ``app_data``.

    ``log_dir`` is a folder, in which ``<id>.log`` is written, when its last part has no suffix or
    it ends with a separator; what exists as a file already is that file. Without a ``log_dir`` it
    is ``logs/<id>.log``. Raises PathRefused (a ValueError) for a path that leaves app-data.
    """
    name = f"{service.id}.log"
    if not service.log_dir:
        return os.path.join(app_data, "logs", name)
    path = os.path.normpath(os.path.join(app_data, normalise(service.log_dir)))
    is_folder = service.log_dir[-1] in "/\\" or not os.path.splitext(path)[1]
    if path == os.path.normpath(app_data) or (is_folder and not exists_as_file(path)):
        return os.path.join(path, name)
    return path
