"""Template references: each must name a port of the bundle, and stand where it is replaced."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bundlevisor.manifest.check.view import Place, View
from bundlevisor.manifest.format.findings import Report, child
from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.plan.template import Unresolved, first_template, near_ports, unresolved
from bundlevisor.manifest.plan.template_uses import texts_of


def check(view: View, report: Report) -> None:
    """Report ``${x.y}`` that names no port: it fails its service where it would be rendered.

    What is replaced elsewhere and stands where nothing is, as in ``log_dir``, only warns: Go's
    runtime, too, makes a folder of that name.
    """
    for text in _as_written(view.manifest):
        _warn_of_template(text, "", "", view, report)
    for place in view.places:
        for text in _as_written_in(place.service):
            _warn_of_template(text, f"{place.path}.", place.id, view, report)
        _check_folders(place, report)
        for use in texts_of(place.service, view.secrets, view.platform):
            for reference in unresolved(use.value, view.ports):
                near = [] if report.many else near_ports(reference, view.ports)
                missing = Unresolved(reference, near)
                _report(place.id, f"{place.path}.{use.path}", missing, report, use.elsewhere)


def _report(service: str, path: str, missing: Unresolved, report: Report, elsewhere: bool) -> None:
    sentence = f"service '{service}': {missing}"
    if elsewhere:
        report.warning("unresolved_template", path, sentence, service)
    else:
        report.service_error("unresolved_template", path, sentence, service)


def _check_folders(place: Place, report: Report) -> None:
    """Report ports in the names of folders: these are made before any port is chosen."""
    for index, folder in enumerate(place.service.data_dirs):
        for reference in unresolved(folder, {}):
            sentence = (
                f"service '{place.id}': ${{{reference}}} cannot be in the name of a folder, which"
                " is made before any port is chosen; remove it."
            )
            path = f"{place.path}.data_dirs[{index}]"
            report.service_error("unresolved_template", path, sentence, place.id)


class _AsWritten(msgspec.Struct, frozen=True):
    """A text in which nothing is replaced, its path, and what to do in place of a template."""

    path: str
    value: str
    instead: str


_BELOW_DATA = "the path is below app-data anyway; write it without"
_IN_BUNDLE = "the path is relative to the bundle anyway; write it without"
_URL_PATH = "write what is meant"


def _as_written(manifest: Manifest) -> Iterator[_AsWritten]:
    """Yield those of the bundle."""
    yield _AsWritten("ipc.auth_token_path", manifest.ipc.auth_token_path, _BELOW_DATA)
    yield _AsWritten("telemetry.file", manifest.telemetry.file, _BELOW_DATA)


def _as_written_in(service: Service) -> Iterator[_AsWritten]:
    """Yield those of a service, with their paths in it."""
    yield _AsWritten("log_dir", service.log_dir, _BELOW_DATA)
    for key, binary in service.binaries.items():
        yield _AsWritten(f"{child('binaries', key)}.path", binary.path, _IN_BUNDLE)
    for index, asset in enumerate(service.assets):
        yield _AsWritten(f"assets[{index}].path", asset.path, _IN_BUNDLE)
    if service.health and service.health.type == "http":
        yield _AsWritten("health.path", service.health.path, _URL_PATH)
    if service.stop.http:
        yield _AsWritten("stop.http.path", service.stop.http.path, _URL_PATH)


def _warn_of_template(text: _AsWritten, at: str, service: str, view: View, report: Report) -> None:
    if "${" not in text.value or not (found := first_template(text.value, view.ports)):
        return
    prefix = f"service '{service}': " if service else ""
    sentence = f"{prefix}{found} is not replaced here: {text.instead}."
    report.warning("template_not_replaced", f"{at}{text.path}", sentence, service)
