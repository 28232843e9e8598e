"""Port requests: names, ranges, and ranges in which nothing can be given out, or used."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.manifest.check.view import Place, View
from bundlevisor.manifest.format.document import LAST_PORT
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.schema import PortRange, PortRequest
from bundlevisor.manifest.plan.environment import port_variable
from bundlevisor.manifest.plan.ports import REFUSED_BY_BROWSERS, range_of, reserved_of


def check(view: View, report: Report) -> None:
    """Check the bundle's ranges and every service's requests."""
    rules = view.manifest.ports
    if rules and rules.default_range:
        _check_order(rules.default_range, "ports.default_range", report)
    _check_reserved((rules.reserved if rules else None) or (), report)
    for place in view.places:
        _check_names(place, report)
        for index, request in enumerate(place.service.port_requests):
            path = f"{place.path}.ports.requested[{index}]"
            if request.range:
                _check_order(request.range, f"{path}.range", report, place.id)
            _check_room(request, path, place, view, report)


def _check_reserved(reserved: Iterable[int], report: Report) -> None:
    """Warn of numbers that are no port; Go's runtime takes them, so none is refused."""
    for index, port in enumerate(reserved):
        if not 1 <= port <= LAST_PORT:
            path = f"ports.reserved[{index}]"
            sentence = (
                f"{path} is {port}, which is no port (1 to {LAST_PORT}); it reserves nothing."
            )
            report.warning("out_of_range", path, sentence)


def _check_order(range_: PortRange, path: str, report: Report, service: str = "") -> None:
    if range_.min > range_.max:
        sentence = f"{path} has min {range_.min} above max {range_.max}; swap them."
        report.error("port_range_inverted", path, sentence, service)


def _check_names(place: Place, report: Report) -> None:
    seen: dict[str, str] = {}
    names: set[str] = set()
    for index, name in enumerate(place.ports):
        path = f"{place.path}.ports.requested[{index}].name"
        former = seen.setdefault(port_variable(name), name)
        if name in names:
            sentence = f"service '{place.id}': port '{name}' is requested twice; rename one."
            report.error("duplicate_port_name", path, sentence, place.id)
        elif former != name:
            sentence = (
                f"service '{place.id}': the ports '{former}' and '{name}' share the variable"
                f" {port_variable(name)}; rename one."
            )
            report.warning("port_variable_shared", path, sentence, place.id)
        names.add(name)


def _check_room(
    request: PortRequest,
    path: str,
    place: Place,
    view: View,
    report: Report,
) -> None:
    reserved = reserved_of(view.manifest) | {view.manifest.ipc.port}
    low, high = range_of(request, view.manifest)
    ports = range(low, high + 1)
    if not ports or any(port not in reserved and port not in REFUSED_BY_BROWSERS for port in ports):
        return
    if all(port in reserved for port in ports):
        control = " or the control API's (ipc.port)" if view.manifest.ipc.port in ports else ""
        sentence = (
            f"service '{place.id}': every port of {low}-{high} is reserved{control}, so"
            f" '{request.name}' gets none; widen the range."
        )
        report.service_error("port_range_exhausted", path, sentence, place.id)
        return
    which = f"port {low}" if low == high else f"every port of {low}-{high}"
    sentence = (
        f"service '{place.id}': browsers refuse {which}, so no window can ask '{request.name}'"
        " (ERR_UNSAFE_PORT); choose another number."
    )
    report.warning("port_refused_by_browsers", path, sentence, place.id)
