"""The end of a house: its services are stopped in order, then all that was built is taken down.

Nothing of this is imported before somebody asks for the end.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from bundlevisor.actors.core.snapshot import Phase, Snapshot
from bundlevisor.actors.core.stop_deadline import stop_bound
from bundlevisor.actors.files import endpoint, instance
from bundlevisor.actors.process.reaping import end_remains
from bundlevisor.actors.process.table.control_group import group_of
from bundlevisor.control.run.orderly_stop import KILL_PATIENCE, Stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.control.run.runtime import House

CLOSING = 12.0
"""Seconds that it may take to close all that was built, once the services have ended."""
LOGS = 1.0
"""Seconds of that for the logs: a disk that hangs holds up each of them."""


def take_down(house: House, reason: str) -> None:
    """Stop everything, and undo in reverse what the start has done."""
    bound = stop_bound(house.bundle.manifest, house.bundle.graph)
    _beside(lambda: house.lock.say_stopping(bound + KILL_PATIENCE + CLOSING), wait=0.0)
    group = group_of(os.getpid(), house.bundle.instance_id)
    house.guardian.stopping()  # it takes us out of the group, which is removed in the end
    clean = _stop_services(house, reason, bound)
    end_remains(house.bundle.instance_id, group)
    _beside(lambda: _close(house, reason, clean=clean), wait=CLOSING)


def _beside(act: Callable[[], object], wait: float) -> None:
    """Do what a disk that hangs could hold up for ever, and wait for it so many seconds at most."""
    thread = threading.Thread(target=act, name="closing", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads for this user
        act()
    else:
        thread.join(wait)


def _stop_services(house: House, reason: str, bound: float) -> bool:
    """Stop everything in order, within a bound; return whether nothing is left."""
    house.console.info(f"stopping: {reason}")
    if house.supervisor is None:
        services = house.board.snapshot.services
        house.board.publish(Snapshot(version=2, phase=Phase.STOPPED, services=services))
        return True
    stopping = Stopping(house.supervisor, house.board, house.ending, house.console)
    return stopping.stop(reason, bound)


def _close(house: House, reason: str, *, clean: bool) -> None:
    bundle = house.bundle
    if house.api is not None:
        house.api.server.stop(1.0)
    house.socket.close()
    deadline = time.monotonic() + LOGS
    for stream in house.world.streams.values():
        stream.close(max(0.0, deadline - time.monotonic()))
    house.emit("runtime_shutdown", None, reason=reason)
    house.telemetry.close(2.0)
    house.register.close()
    endpoint.remove_if_ours(bundle.token_path, house.token)
    endpoint.remove_if_ours(endpoint.port_path(bundle.app_data), str(house.port))
    if clean:
        instance.remove(bundle.app_data, bundle.instance_id)
        house.guardian.dismiss()
    house.reserved.release_all()
