"""The events that a start begins with."""

from __future__ import annotations

import os
from collections.abc import Callable

from bundlevisor.control.run.bundle import Bundle


def tell_start(emit: Callable[..., None], bundle: Bundle, port: int) -> None:
    """Tell what is started, what was found wrong with it, and of a control port that was taken."""
    manifest, found = bundle.manifest, bundle.loaded.findings
    emit(
        "runtime_start",
        None,
        app=manifest.app.name,
        version=manifest.app.version,
        services=len(manifest.services),
        instance_id=bundle.instance_id,
        pid=os.getpid(),
        port=port,
        dry_run=bundle.options.dry_run,
    )
    failing, warnings = found.service_errors, found.warnings
    emit(
        "bundle_validation",
        None,
        valid=not failing,
        errors=len(failing),
        warnings=len(warnings),
        codes=sorted({one.code for one in (*failing, *warnings)}),
    )
    if manifest.ipc.port not in (0, port):
        emit("ipc_port_reassigned", None, previous=manifest.ipc.port, port=port)
