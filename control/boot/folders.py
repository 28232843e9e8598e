"""Packages of ours that are nothing but a folder.

To find, read and run an empty ``__init__.py`` takes 60 us or more; a start would do it 14 times
before its first spawn.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


FOLDERS = """
actors.core actors.files actors.gpu actors.launch actors.logs actors.loop actors.ports actors.probes
actors.process actors.telemetry control.api control.http control.run control.wire manifest
manifest.format manifest.plan manifest.read
"""
"""Those of a start that hold nothing of their own, parents first."""


def know_folders() -> None:
    """Make these packages as an import would, without looking for what is not in them.

    Whatever else finds our modules (a frozen program, an archive) does it as ever.
    """
    external: Any = sys.modules["_frozen_importlib_external"]  # what importlib.machinery is made of
    bootstrap: Any = sys.modules["_frozen_importlib"]
    spec: Any = sys.modules["bundlevisor"].__spec__
    if type(spec.loader) is not external.SourceFileLoader:
        return
    for name in FOLDERS.split():
        full = f"bundlevisor.{name}"
        parent, _, last = full.rpartition(".")
        above: Any = sys.modules[parent]
        if full not in sys.modules:
            folder = os.path.join(above.__path__[0], last)
            file = os.path.join(folder, "__init__.py")
            loader = external.SourceFileLoader(full, file)
            made = bootstrap.ModuleSpec(full, loader, origin=file, is_package=True)
            made.submodule_search_locations = [folder]
            made.has_location = True
            sys.modules[full] = bootstrap.module_from_spec(made)
            setattr(above, last, sys.modules[full])
