"""The ports of one service: held from the choice until the spawn, and again between two starts."""

from __future__ import annotations

import socket

from bundlevisor.actors.ports.reservations import PortReservations, fits_all_addresses
from bundlevisor.actors.process import children
from bundlevisor.manifest.format.schema import Service

Ports = dict[str, dict[str, int]]
"""The ports of all services, by the ids of the services and the names of the ports."""


class ServicePorts:
    """The sockets that keep a service's ports for it; only its actor uses them."""

    def __init__(self, service: Service, reserved: PortReservations) -> None:
        self._id = service.id
        self._names = {request.name for request in service.port_requests if request.requires_socket}
        ranges = {request.name: request.range for request in service.port_requests}
        self._fixed = {name for name, one in ranges.items() if one and one.min == one.max}
        self._reserved = reserved
        self._held = PortReservations()
        self._ports: dict[str, int] = {}

    def assign(self, table: dict[str, dict[str, int]]) -> None:
        """Take the ports of this start from the table of all ports."""
        self._ports = table.get(self._id, {})

    def hold(self) -> tuple[str, ...]:
        """Claim all ports until the spawn; return the names of those that somebody else has."""
        return tuple(
            name
            for name, port in self._ports.items()
            if not (self._reserved.move(port, self._held) or self._held.hold(port))
        )

    def hold_after_failure(self) -> tuple[str, ...]:
        """Claim all ports again; return the names of those that may have been the failure's cause.

        Also of those that somebody has on another address: the service may have wanted all. Not
        where there is no other to be had: the next try may find it free. Nor one that was never
        let go, of a page's the second. None where no descriptor is left to tell by.
        """
        try:
            in_part = {one for one, port in self._ports.items() if self._is_had_in_part(one, port)}
            taken = {*self.hold(), *in_part}
        except OSError:
            return ()
        return tuple(name for name in self._ports if name in taken)

    def hand_over(self) -> tuple[tuple[str, int], ...]:
        """Return the listening sockets that the service is to be given, by name."""
        if not children.SOCKET_ACTIVATION:
            return ()
        wanted = [name for name in self._ports if name in self._names]
        found = [(name, self._held.listen(self._ports[name])) for name in wanted]
        return tuple((name, fd) for name, fd in found if fd is not None)

    def take_first(self) -> socket.socket | None:
        """Return the socket of the only (or first) port, for a server of ours to listen on."""
        return self._held.take(next(iter(self._ports.values()), 0))

    def let_go(self) -> None:
        """Free the ports that the service binds itself; just before the spawn."""
        for name, port in self._ports.items():
            if not self._is_handed_over(name):
                self._held.release(port)

    def release(self) -> None:
        """Free them all: the service stays down."""
        self._held.release_all()

    def _is_had_in_part(self, name: str, port: int) -> bool:
        movable = not (self._is_handed_over(name) or name in self._fixed)
        return movable and not self._held.holds(port) and not fits_all_addresses(port)

    def _is_handed_over(self, name: str) -> bool:
        return children.SOCKET_ACTIVATION and name in self._names
