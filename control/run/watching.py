"""``run --watch``: from the parts of a runtime to what watches its files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundlevisor.control.watch.watcher import Subject, Watcher

if TYPE_CHECKING:
    from bundlevisor.control.run.parts import Parts


def begin(parts: Parts) -> None:
    """Watch from now on; a dry run has nothing to restart."""
    bundle, console = parts.bundle, parts.console
    if parts.supervisor is None:
        return
    subject = Subject(
        manifest=bundle.manifest,
        graph=bundle.graph,
        specs=parts.specs,
        bundle=tuple(map(os.path.abspath, (bundle.options.manifest, *bundle.options.overlay))),
        bundle_root=bundle.root,
        app_data=bundle.app_data,
        board=parts.board,
        supervisor=parts.supervisor,
        emit=parts.announcer.emit,
        info=console.info,
        warn=console.warn,
        fault=console.fault,
    )
    Watcher(subject).start()
