"""Health, readiness and the HTTP stop: they must have what they ask."""

from __future__ import annotations

from bundlevisor.manifest.check.view import Place, View, check_word
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.suggest import hint, quoted


def check(view: View, report: Report) -> None:
    """Check the probes of every service."""
    for place in view.places:
        _check_health(place, view, report)
        _check_readiness(place, report)
        _check_notify(place, view, report)
        stop = place.service.stop.http
        if stop:
            _check_port(place, stop.port_name, "stop.http", report)


def check_pattern(pattern: str, path: str, report: Report, owner: str, service: str = "") -> None:
    """Report a regular expression that RE2 does not take, with what RE2 says of it."""
    from bundlevisor.manifest.format.pattern import why_refused

    refused = why_refused(pattern)
    if refused:
        sentence = f"{owner}: RE2 does not take this regular expression: {refused}."
        report.error("invalid_pattern", path, sentence, service)


def _check_health(place: Place, view: View, report: Report) -> None:
    health = place.service.health
    if health is None:
        return
    if health.type in ("http", "tcp"):
        _check_port(place, health.port_name, "health", report, needed=_health_decides(place))
    elif health.type == "command":
        check_word(health.command, f"{place.path}.health.command", view, report, place.id)
    else:
        written = "health.pattern" if health.pattern or not health.path else "health.path"
        _check_log_pattern(place, health.expression, written, "health", report)


def _check_readiness(place: Place, report: Report) -> None:
    readiness = place.service.readiness
    if readiness is None:
        return
    if readiness.type == "port_open":
        _check_port(place, readiness.port_name, "readiness", report)
    elif readiness.type == "log_match":
        written = "readiness.pattern"
        _check_log_pattern(place, readiness.pattern, written, "readiness", report)
    elif readiness.type == "health_success" and place.service.health is None:
        sentence = (
            f"service '{place.id}': readiness waits for a health check, but there is none; add"
            " 'health' or choose another readiness."
        )
        report.error("readiness_without_health", f"{place.path}.readiness", sentence, place.id)


def _check_notify(place: Place, view: View, report: Report) -> None:
    readiness, path = place.service.readiness, f"{place.path}.readiness"
    if readiness is None:
        return
    if readiness.type == "notify" and view.on_windows:
        sentence = (
            f"service '{place.id}': Windows has no NOTIFY_SOCKET; there the service is ready when"
            " it prints the line '::progress 100', and has no watchdog."
        )
        report.warning("notify_by_lines", f"{path}.type", sentence, place.id)
    if readiness.watchdog_ms and readiness.type != "notify":
        sentence = (
            f"service '{place.id}': watchdog_ms means something with readiness 'notify' only; it"
            f" is '{readiness.type}'."
        )
        report.warning("watchdog_without_notify", f"{path}.watchdog_ms", sentence, place.id)


def _health_decides(place: Place) -> bool:
    """Whether the service cannot become ready unless its health check is answered."""
    readiness = place.service.readiness
    return readiness is None or readiness.type == "health_success"


def _check_log_pattern(
    place: Place, pattern: str, written: str, probe: str, report: Report
) -> None:
    """Check a regular expression; ``written`` is the field of the service that it stands in."""
    path = f"{place.path}.{written}"
    if not pattern:
        sentence = (
            f"service '{place.id}': {probe} of type 'log_match' has no pattern; add the regular"
            " expression that the log line matches."
        )
        report.error("pattern_missing", path, sentence, place.id)
        return
    check_pattern(pattern, path, report, f"service '{place.id}'", place.id)


def _check_port(
    place: Place, name: str, probe: str, report: Report, *, needed: bool = True
) -> None:
    """Check that a probe has one port to ask; ``needed``: without one it is an error."""
    path = f"{place.path}.{probe}.port_name"
    own = place.ports
    if name in own or (not name and len(own) == 1):
        return
    if not own and not needed:
        sentence = (
            f"service '{place.id}': {probe} has no port to ask, as the service requests none; it"
            " is not asked."
        )
        report.warning("probe_without_port", path, sentence, place.id)
    elif not own:
        sentence = f"service '{place.id}': {probe} needs a port, but the service requests none."
        report.error("probe_without_port", path, sentence, place.id)
    elif name:
        there = f"it has {quoted(own)}"
        sentence = f"service '{place.id}': it has no port '{name}'{hint(name, own)}; {there}."
        report.error("unknown_port", path, sentence, place.id)
    else:
        sentence = f"service '{place.id}': {probe} does not say which port: {quoted(own, 'or')}."
        report.error("port_ambiguous", path, sentence, place.id)
