"""The end of a runtime: its services are stopped in order, then all that was built is taken down.

It is imported with the API: who is answered may remove the program's files before it asks for the
end.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from bundlevisor.actors.core.snapshot import Phase, Snapshot
from bundlevisor.actors.core.stop_deadline import stop_bound
from bundlevisor.actors.files import instance, last_end
from bundlevisor.actors.process.reaping import end_remains
from bundlevisor.actors.process.table import control_group
from bundlevisor.control.run.orderly_stop import KILL_PATIENCE, OrderlyStop

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundlevisor.actors.logs.stream import LogStream
    from bundlevisor.control.run.parts import Parts
    from bundlevisor.control.run.shutdown_requests import ShutdownRequest

CLOSING = 12.0
"""Seconds that it may take to close all that was built, once the services have ended."""
LOGS = 1.0
"""Seconds of that for the logs, which a disk that hangs holds up."""
PORTS = 1.0
"""Seconds of that for the choice of ports, which may have been made a moment ago."""


def take_down(parts: Parts, request: ShutdownRequest, stop_api: Callable[[], object]) -> None:
    """Stop everything, and undo in reverse what the start has done; ``stop_api`` if it is up."""
    bound = stop_bound(parts.bundle.manifest, parts.bundle.graph)
    _beside(lambda: parts.lock.say_stopping(bound + KILL_PATIENCE + CLOSING), wait=0.0)
    group = control_group.group_of(os.getpid(), parts.bundle.instance_id)
    parts.guardian.stopping()  # it takes us out of the group, which is removed in the end
    clean = _stop_services(parts, request.reason, bound)
    end_remains(parts.bundle.instance_id, group)
    _beside(lambda: _close(parts, request, stop_api, group if clean else None), wait=CLOSING)


def _beside(act: Callable[[], object], wait: float) -> None:
    """Do what a disk that hangs could hold up for ever, and wait for it so many seconds at most."""
    thread = threading.Thread(target=act, name="closing", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads for this user
        act()
    else:
        thread.join(wait)


def _stop_services(parts: Parts, reason: str, bound: float) -> bool:
    """Stop everything in order, within a bound; return whether nothing is left."""
    parts.console.info(f"stopping: {reason}")
    if parts.supervisor is None:
        services = parts.board.snapshot.services
        parts.board.publish(Snapshot(version=2, phase=Phase.STOPPED, services=services))
        return True
    stopping = OrderlyStop(parts.supervisor, parts.board, parts.ending, parts.console)
    return stopping.stop(reason, bound)


def _close(
    parts: Parts, request: ShutdownRequest, stop_api: Callable[[], object], group: str | None
) -> None:
    """Close all that was built.

    ``group`` is the control group, empty without one; None leaves what is left to the guardian.
    """
    bundle = parts.bundle
    _close_logs([*parts.edges.context.streams.values()])  # who follows them gets their last lines
    stop_api()
    parts.socket.close()
    parts.edges.context.remove_secret_files()
    parts.edges.port_memory.close(PORTS)
    parts.endpoint.remove()  # which makes a little room for our last words on a full disk
    parts.announcer.emit("runtime_shutdown", None, reason=request.reason)
    parts.telemetry.close(2.0)
    parts.edges.record.close()
    if group is not None:
        if parts.lock.stands():  # else the folder is another instance's by now
            last_end.write(bundle.app_data, request.code, request.reason)
        _let_go(parts, group)
    parts.edges.context.reserved.release_all()


def _let_go(parts: Parts, group: str) -> None:
    """Let go of group, record and guardians, which would act if we were killed meanwhile.

    What is there without a record no next start would find: a guardian that stood still then is
    woken first, and the group goes first.
    """
    parts.guardian.wake()
    group = group or control_group.group_of(os.getpid(), parts.bundle.instance_id)
    control_group.release(os.getpid(), group)
    control_group.remove(group)
    instance.remove(parts.bundle.app_data, parts.bundle.instance_id)
    parts.guardian.dismiss()


def _close_logs(streams: Collection[LogStream]) -> None:
    """Close them all at once: their thread is waited for once, and not by each of them."""
    closed = [threading.Event() for _ in streams]
    for stream, one in zip(streams, closed, strict=True):
        stream.close(one.set)
    deadline = time.monotonic() + LOGS
    for one in closed:
        one.wait(max(0.0, deadline - time.monotonic()))
