"""Template references: each must name a port of the bundle."""

from __future__ import annotations

from bundlevisor.manifest.check.view import View
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.plan.template import Unresolved, near_ports, unresolved
from bundlevisor.manifest.plan.template_uses import texts_of


def check(view: View, report: Report) -> None:
    """Report ``${x.y}`` that names no port: it fails its service where it would be rendered."""
    for place in view.places:
        for text in texts_of(place.service, view.secrets, view.platform):
            for reference in unresolved(text.value, view.ports):
                near = [] if report.many else near_ports(reference, view.ports)
                missing = Unresolved(reference, near)
                _report(place.id, f"{place.path}.{text.path}", missing, report, text.elsewhere)


def _report(service: str, path: str, missing: Unresolved, report: Report, elsewhere: bool) -> None:
    sentence = f"service '{service}': {missing}"
    if elsewhere:
        report.warning("unresolved_template", path, sentence, service)
    else:
        report.service_error("unresolved_template", path, sentence, service)
