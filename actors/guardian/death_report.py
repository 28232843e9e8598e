"""What is told of a death: one line of telemetry, or a line of the system's log for a fault."""

from __future__ import annotations

import time

from bundlevisor.actors.guardian import system
from bundlevisor.actors.guardian.cleanup import Cleanup
from bundlevisor.actors.guardian.state import GuardianState


def cause(state: GuardianState) -> dict[str, object]:
    """Return what the runtime died of, as far as it is known by now: its signal or exit code."""
    try:
        status = state.exit_status.read() if state.exit_status else None
    except Exception:  # noqa: BLE001 - what reads it may be gone with the program's files
        status = None
    if status is None:
        return {}
    return {"signal": status & 0x7F} if status & 0x7F else {"exit_code": status >> 8}


def findings(cleanup: Cleanup) -> dict[str, object]:
    """Return what was found: services, how they ended, how long it took."""
    drains = cleanup.drains.values()
    services, killed = cleanup.services, cleanup.services & cleanup.killed
    return {
        "found": len(services),
        "stopped": len(services - killed),
        "killed": len(killed),
        "left": cleanup.left,
        "seconds": round(time.monotonic() - cleanup.started, 3),
        "log_bytes": sum(drain.written for drain in drains),
        "log_bytes_dropped": sum(drain.dropped for drain in drains),
    }


def publish(path: str, details: dict[str, object]) -> None:
    """Append the line, where there is a ``path``; the system's log is told when it could not be."""
    if not path:
        return
    try:
        from bundlevisor.actors.telemetry import writer

        trouble = "" if writer.append(path, "runtime_died", None, details) else "not written"
    except Exception as error:  # noqa: BLE001 - the program's files may be being replaced
        trouble = f"{type(error).__name__}: {error}"
    if trouble:
        said = ", ".join(f"{name} {value}" for name, value in details.items())
        system.tell_system_log(f"the runtime died ({said}); {path}: {trouble}")


def tell_fault(what: str, error: BaseException) -> None:
    """Tell the system's log of a fault of the guardian's own: it has no other words."""
    system.tell_system_log(f"{what}: {type(error).__name__}: {error}")
