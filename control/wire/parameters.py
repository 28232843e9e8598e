"""Parameters of a request: whole numbers, and the service that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.wire.errors import Refusal

if TYPE_CHECKING:
    import falcon

    from bundlevisor.actors.core.snapshot import ServiceView, Snapshot


def whole_number(req: falcon.Request, name: str, default: int, lowest: int, highest: int) -> int:
    """Return a parameter of the query; Refusal 400 unless it is within the bounds."""
    text = req.get_param(name)
    if text is None:
        return default
    digits = text.isascii() and text.isdigit() and len(text) <= 18
    if not digits or not lowest <= int(text) <= highest:
        sentence = f"{name} must be a whole number from {lowest} to {highest}"
        raise Refusal(400, f"bad_{name}", sentence)
    return int(text)


def known_service(snapshot: Snapshot, service_id: str) -> ServiceView:
    """Return the view of a service; Refusal 404 when the bundle has no such service."""
    view = snapshot.services.get(service_id)
    if view is None:
        known = ", ".join(snapshot.services)
        sentence = f"there is no service '{service_id}' in this bundle; it has {known}"
        raise Refusal(404, "unknown_service", sentence)
    return view


def named_service(req: falcon.Request, snapshot: Snapshot) -> ServiceView:
    """Return the view of ``?serviceId=``; Refusal 400 without it, 404 when it is unknown."""
    service_id = req.get_param("serviceId")
    if not service_id:
        raise Refusal(400, "missing_service_id", "say which service: ?serviceId=<id>")
    return known_service(snapshot, service_id)
