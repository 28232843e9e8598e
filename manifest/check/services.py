"""Each service by itself: its id, type, binaries, environment names, folders and stop."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.manifest.check.view import Place, View, check_path
from bundlevisor.manifest.format.findings import Finding, Report, child
from bundlevisor.manifest.format.paths import is_device
from bundlevisor.manifest.format.platform import KEYS, UNIVERSAL, canonical, pick_binary
from bundlevisor.manifest.format.schema import LONGEST_ID, ON_DEMAND, TYPES, UI_BUNDLE
from bundlevisor.manifest.format.suggest import hint, quoted
from bundlevisor.manifest.plan.launch import is_outside

_ID = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_NOT_ON_WINDOWS = ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def check(view: View, report: Report) -> None:
    """Check what concerns one service only, and that the ids differ."""
    _check_unique(view, report)
    for place in view.places:
        _check_id(place, view, report)
        _check_type(place, report)
        _check_run_mode(place, report)
        _check_binaries(place, view, report)
        _check_environment(place, view, report)
        _check_folders(place, view, report)
        _check_restart(place, view, report)


def _check_unique(view: View, report: Report) -> None:
    seen: dict[str, Place] = {}
    for place in view.places:
        former = seen.setdefault(place.id.lower(), place)
        if former is place:
            continue
        path = f"{place.path}.id"
        if former.id == place.id:
            sentence = f"service '{place.id}': {former.path} has the same id; give it another one."
            report.error("duplicate_service_id", path, sentence, place.id)
        else:
            sentence = (
                f"service '{place.id}': its id differs from '{former.id}' only in case; their logs"
                " share a file on Windows and macOS."
            )
            report.warning("ids_differ_in_case", path, sentence, place.id)


def _check_id(place: Place, view: View, report: Report) -> None:
    path = f"{place.path}.id"
    if not _ID.issuperset(place.id) or not place.id[0].isalnum() or len(place.id) > LONGEST_ID:
        sentence = (
            f"service '{place.id[:LONGEST_ID]}': the id must start with a letter or digit, hold"
            f" only letters, digits, '.', '_' and '-', and be at most {LONGEST_ID} long."
        )
        report.error("invalid_service_id", path, sentence, place.id)
    elif is_device(place.id):
        sentence = f"service '{place.id}': the id names a device on Windows; rename the service."
        tell = report.error if view.on_windows else report.warning
        tell("id_is_device", path, sentence, place.id)


def _check_type(place: Place, report: Report) -> None:
    type_ = place.service.type
    if type_ not in TYPES:
        sentence = (
            f"service '{place.id}': type '{type_}' is none of {quoted(TYPES)}{hint(type_, TYPES)};"
            " it runs as a plain binary."
        )
        report.warning("unknown_service_type", f"{place.path}.type", sentence, place.id)


def _check_run_mode(place: Place, report: Report) -> None:
    """Tell only of a word that resembles the one we know: metadata is anybody's."""
    mode = place.service.metadata.get("run_mode")
    if isinstance(mode, str) and not place.service.on_demand and (near := hint(mode, (ON_DEMAND,))):
        sentence = (
            f"service '{place.id}': run_mode '{mode}' is none that is known here{near}; it starts"
            " with the bundle."
        )
        report.warning("unknown_run_mode", f"{place.path}.metadata.run_mode", sentence, place.id)


def _check_binaries(place: Place, view: View, report: Report) -> None:
    service = place.service
    for key, binary in service.binaries.items():
        path = child(f"{place.path}.binaries", key)
        if canonical(key) not in KEYS and canonical(key) != UNIVERSAL:
            near = hint(key, (*KEYS, UNIVERSAL))
            sentence = f"service '{place.id}': '{key}' is no platform{near}; it is never used."
            report.warning("unknown_platform", path, sentence, place.id)
        if not is_outside(binary, binary.path):
            check_path(binary.path, f"{path}.path", view, report, place.id)
        if not is_outside(binary, binary.cwd):
            check_path(binary.cwd, f"{path}.cwd", view, report, place.id, template=True)
    chosen, warnings = pick_binary(service, view.platform)
    for warning in warnings:
        report.warning(warning.code, f"{place.path}.{warning.path}", warning.message, place.id)
    if chosen is None and (finding := _without_binary(place, view)):
        report.service_error(finding.code, finding.path, finding.message, place.id)


def _without_binary(place: Place, view: View) -> Finding | None:
    service, path = place.service, f"{place.path}.binaries"
    if service.type != UI_BUNDLE:
        fitting = (canonical(view.platform), UNIVERSAL)
        if key := next((one for one in service.binaries if canonical(one) in fitting), ""):
            sentence = f"service '{place.id}': its '{key}' binary names no program; add its path."
            return Finding("binary_not_defined", f"{child(path, key)}.path", sentence)
        there = quoted(key for key, binary in service.binaries.items() if binary.path)
        sentence = (
            f"service '{place.id}': there is no binary for {view.platform}"
            f" ({f'only for {there}' if there else 'nor for any other platform'}); add a"
            f" '{view.platform}' entry."
        )
        return Finding("binary_not_defined", path, sentence)
    if not service.assets:
        sentence = (
            f"service '{place.id}': there is nothing to serve: neither a binary for"
            f" {view.platform} nor an asset; add one."
        )
        return Finding("binary_not_defined", path, sentence)
    if not place.ports:
        sentence = f"service '{place.id}': there is no port to serve on; request one."
        return Finding("ui_without_port", f"{place.path}.ports", sentence)
    return None


def _check_environment(place: Place, view: View, report: Report) -> None:
    service = place.service
    _check_names(service.env, f"{place.path}.env", place, view, report)
    for key, binary in service.binaries.items():
        _check_names(binary.env, f"{child(f'{place.path}.binaries', key)}.env", place, view, report)
    for index, migration in enumerate(service.migrations):
        _check_names(migration.env, f"{place.path}.migrations[{index}].env", place, view, report)


def _check_names(names: Iterable[str], path: str, place: Place, view: View, report: Report) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not name or "=" in name:
            sentence = (
                f"service '{place.id}': '{name}' cannot be the name of a variable; it must not be"
                " empty or hold '='."
            )
            report.error("invalid_env_name", child(path, name), sentence, place.id)
        former = seen.setdefault(name.upper(), name)
        if former != name and _runs_on_windows(place, view):
            sentence = (
                f"service '{place.id}': the variables '{former}' and '{name}' are one on Windows;"
                " remove one of them."
            )
            report.warning("env_names_differ_in_case", child(path, name), sentence, place.id)


def _runs_on_windows(place: Place, view: View) -> bool:
    keys = (canonical(key) for key in place.service.binaries)
    return view.on_windows or any(key.startswith("win-") or key == UNIVERSAL for key in keys)


def _check_folders(place: Place, view: View, report: Report) -> None:
    service = place.service
    for index, folder in enumerate(service.data_dirs):
        check_path(folder, f"{place.path}.data_dirs[{index}]", view, report, place.id)
    check_path(service.log_dir, f"{place.path}.log_dir", view, report, place.id)


def _check_restart(place: Place, view: View, report: Report) -> None:
    restart, stop = place.service.restart, place.service.stop
    if restart.backoff_max_ms < restart.backoff_ms:
        sentence = (
            f"service '{place.id}': backoff_max_ms ({restart.backoff_max_ms}) is below backoff_ms"
            f" ({restart.backoff_ms}); every delay is {restart.backoff_max_ms} ms."
        )
        report.warning("backoff_inverted", f"{place.path}.restart", sentence, place.id)
    if view.on_windows and stop.signal in _NOT_ON_WINDOWS:
        sentence = (
            f"service '{place.id}': Windows has no {stop.signal}; the service is asked to stop as"
            " with SIGTERM."
        )
        report.warning("signal_unknown", f"{place.path}.stop.signal", sentence, place.id)
