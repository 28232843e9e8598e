"""Names and values: none holds what breaks a line, none is longer than a program can be given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundlevisor.manifest.check.view import Place, View
from bundlevisor.manifest.format.findings import Report, child
from bundlevisor.manifest.format.platform import pick_binary
from bundlevisor.manifest.format.schema import Service

LONGEST = 131_072
"""Bytes of one argument or one variable with its name, NUL included; execve(2), MAX_ARG_STRLEN."""
LONGEST_ON_WINDOWS = 32_767
"""UTF-16 code units of a variable, and of a whole command line, NUL included."""
SURELY_SHORT = 16_000
"""Characters: of at most four bytes, or two code units, each."""


def check(view: View, report: Report) -> None:
    """Warn of names with control characters; report values that no program can be started with."""
    for path, name in _of_bundle(view):
        _check_name(path, name, report)
    for place in view.places:
        for path, name in _of_service(place):
            _check_name(path, name, report, place.id)
        for path, length in _lengths(place.service, view):
            _check_length(path, length, place, view, report)


def _of_bundle(view: View) -> Iterator[tuple[str, str]]:
    manifest = view.manifest
    yield "app.name", manifest.app.name
    yield "app.version", manifest.app.version
    yield "ipc.auth_token_path", manifest.ipc.auth_token_path
    yield "telemetry.file", manifest.telemetry.file
    for index, secret in enumerate(manifest.secrets):
        yield f"secrets[{index}].id", secret.id
        yield f"secrets[{index}].target.name", secret.target.name


def _of_service(place: Place) -> Iterator[tuple[str, str]]:
    service, path = place.service, place.path
    for index, port in enumerate(place.ports):
        yield f"{path}.ports.requested[{index}].name", port
    yield from _variables(service.env, f"{path}.env")
    for key, binary in service.binaries.items():
        at = child(f"{path}.binaries", key)
        yield f"{at}.path", binary.path
        yield from _variables(binary.env, f"{at}.env")
    for index, migration in enumerate(service.migrations):
        yield f"{path}.migrations[{index}].version", migration.version
        yield from _variables(migration.env, f"{path}.migrations[{index}].env")
    yield f"{path}.log_dir", service.log_dir
    for index, folder in enumerate(service.data_dirs):
        yield f"{path}.data_dirs[{index}]", folder


def _variables(names: Iterable[str], path: str) -> Iterator[tuple[str, str]]:
    for name in names:
        yield child(path, name), name


def _check_name(path: str, name: str, report: Report, service: str = "") -> None:
    if name.isprintable() or not any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return
    prefix = f"service '{service}': " if service else ""
    sentence = (
        f"{prefix}the name '{name}' holds a line end or another control character, which most"
        " programs that read it do not expect; remove it."
    )
    report.warning("control_character", path, sentence, service)


def _lengths(service: Service, view: View) -> Iterator[tuple[str, int]]:
    """Yield what is given to the service's program and how long it is; templates as written.

    What is short enough in any coding is left out.
    """
    for name, value in service.env.items():
        if len(name) + len(value) > SURELY_SHORT:
            yield child("env", name), _length(f"{name}={value}", view)
    binary = pick_binary(service, view.platform)[0]
    for key, one in service.binaries.items():
        if one is binary:
            at = child("binaries", key)
            for name, value in one.env.items():
                if len(name) + len(value) > SURELY_SHORT:
                    yield child(f"{at}.env", name), _length(f"{name}={value}", view)
            for index, value in enumerate(one.args):
                if len(value) > SURELY_SHORT:
                    yield f"{at}.args[{index}]", _length(value, view)


def _length(text: str, view: View) -> int:
    """Return the length with the NUL behind it: in bytes, on Windows in UTF-16 code units."""
    if view.on_windows:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2 + 1
    return len(text.encode("utf-8", "surrogatepass")) + 1


def _check_length(path: str, length: int, place: Place, view: View, report: Report) -> None:
    longest, unit = (LONGEST_ON_WINDOWS, "characters") if view.on_windows else (LONGEST, "bytes")
    if length <= longest:
        return
    sentence = (
        f"service '{place.id}': {path} is {length} {unit} long, and no program can be started with"
        f" more than {longest}; put it into a file."
    )
    report.service_error("value_too_long", f"{place.path}.{path}", sentence, place.id)
