"""The end of a house: its services are stopped in order, then all that was built is taken down.

Nothing of this is imported before somebody asks for the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.core.snapshot import Phase, Snapshot
from bundlevisor.actors.core.stop_deadline import stop_bound
from bundlevisor.actors.files import endpoint, instance
from bundlevisor.actors.process.reaping import end_remains
from bundlevisor.control.run.orderly_stop import KILL_PATIENCE, Stopping

if TYPE_CHECKING:
    from bundlevisor.control.run.runtime import House

CLOSING = 12.0
"""Seconds that it may take to close all that was built, once the services have ended."""


def take_down(house: House, reason: str) -> None:
    """Stop everything, and undo in reverse what the start has done."""
    bound = stop_bound(house.bundle.manifest, house.bundle.graph)
    house.lock.say_stopping(bound + KILL_PATIENCE + CLOSING)
    clean = _stop_services(house, reason, bound)
    _close(house, reason, clean=clean)


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
    end_remains(bundle.instance_id)
    if house.api is not None:
        house.api.server.stop(1.0)
    house.socket.close()
    for stream in house.world.streams.values():
        stream.close(0.5)
    house.emit("runtime_shutdown", None, reason=reason)
    house.telemetry.close(2.0)
    house.register.close()
    endpoint.remove_if_ours(bundle.token_path, house.token)
    endpoint.remove_if_ours(endpoint.port_path(bundle.app_data), str(house.port))
    if clean:
        instance.remove(bundle.app_data, bundle.instance_id)
        house.guardian.dismiss()
    house.reserved.release_all()
