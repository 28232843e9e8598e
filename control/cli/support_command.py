"""``bundlevisor support``: one file for whoever is to help, with or without a running instance."""

from __future__ import annotations

import os
import time
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.files import json_text, own_file
from bundlevisor.control.cli.client import Client, NoAnswer
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.find import Endpoint, NotRunning, find, wanted
from bundlevisor.control.support import collection
from bundlevisor.control.support.collection import Part
from bundlevisor.control.support.masking import Mask
from bundlevisor.control.wire import exit_codes
from bundlevisor.manifest.format.app_data import USUAL_TELEMETRY
from bundlevisor.manifest.format.paths import home_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from bundlevisor.manifest.format.schema import Manifest

ANSWERS = {
    "status.json": "/status",
    "ready.json": "/readyz",
    "ports.json": "/ports",
    "findings.json": "/validate",
    "timeline.json": "/timeline",
}
"""What a running instance is asked."""
CONTROL_API = "the control API's token"
"""As what it is masked: a name that no secret of a bundle has."""
EARLIEST, LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""The first and the last moment that ZIP knows."""
ABOUT = """\
Made by {version} on {when}{live}.
Taken out: values of secrets ([secret:ID]), the token of the control API, and the name of the user's
home folder (~, USER). Other personal data that the services write to their logs is still there:
read before you pass it on.

{content}
"""


def support(arguments: argparse.Namespace) -> int:
    """Write the archive and say what is in it; returns an exit code.

    Raises ManifestUnusable where neither app-data nor a bundle says what it is about.
    """
    which = wanted(arguments.app_data, arguments.manifest)
    app_data = which.app_data
    troubles: list[str] = []
    endpoint = _endpoint(arguments, troubles)
    manifest, parts = _bundle(*_files_of_bundle(arguments, app_data), troubles)
    parts.append(collection.machine(troubles.append))
    answers = [*_answers(endpoint, troubles)] if endpoint else []
    parts += answers
    telemetry = manifest.telemetry.file if manifest else USUAL_TELEMETRY
    logs = [*collection.logs_in(app_data), *_log_paths(manifest, app_data)]
    events = os.path.join(app_data, telemetry)
    parts += collection.on_disk(app_data, events, logs, troubles.append)
    mask = Mask(_secrets(app_data, manifest, endpoint, troubles), home_folder(os.environ))
    target = _target(arguments.output)
    about = _about(parts, troubles, live=bool(answers))
    try:
        _write(target, [Part("about.txt", about.encode()), *parts], mask)
    except OSError as error:
        return complain(f"cannot write {target}: {error.strerror or error}", exit_codes.NO)
    print(f"{target} ({os.path.getsize(target) // 1024 + 1} KiB)\n\n{about}", end="")
    return exit_codes.OK


def _target(output: str) -> str:
    name = time.strftime("bundlevisor-support-%Y%m%d-%H%M%S.zip")
    return os.path.join(output, name) if os.path.isdir(output) else output or name


def _endpoint(arguments: argparse.Namespace, troubles: list[str]) -> Endpoint | None:
    try:
        return find(wanted(arguments.app_data, arguments.manifest))
    except NotRunning as none:
        troubles.append(f"nothing was asked of an instance: {none}")
        return None


def _files_of_bundle(arguments: argparse.Namespace, app_data: str) -> tuple[str, tuple[str, ...]]:
    """Return the bundle that runs with its overlays; else the one that the command line names."""
    from bundlevisor.actors.files import instance

    record = instance.peek(app_data)
    return (str(arguments.manifest), ()) if record is None else (record.manifest, record.overlays)


def _bundle(
    path: str, overlays: tuple[str, ...], troubles: list[str]
) -> tuple[Manifest | None, list[Part]]:
    from bundlevisor.control.wire.findings import shown
    from bundlevisor.manifest.read import load

    parts = []
    names = ["bundle.json", *(f"overlay-{n}.json" for n in range(1, len(overlays) + 1))]
    for name, one in zip(names, (path, *overlays), strict=True):
        try:
            with open(one, "rb") as file:
                parts.append(Part(name, file.read(collection.STATE_BYTES)))
        except OSError as error:
            troubles.append(f"{name}: {one}: {error.strerror}")
    if not parts:
        return None, []
    loaded = load.read(path, overlays=overlays)
    found = msgspec.json.format(json_text.encode(shown(loaded.findings)))
    return loaded.manifest, [*parts, Part("findings-of-manifest.json", found)]


def _log_paths(manifest: Manifest | None, app_data: str) -> list[str]:
    from bundlevisor.actors.logs.path import log_path

    services = manifest.services if manifest else ()
    return [log_path(service, app_data) for service in services]


def _answers(endpoint: Endpoint, troubles: list[str]) -> Iterator[Part]:
    client = Client(endpoint)
    for name, path in ANSWERS.items():
        try:
            answer = client.get(path)
        except (NoAnswer, NotRunning, TimeoutError) as error:
            troubles.append(f"{name}: {error}")
            continue
        if not answer.ok:
            troubles.append(f"{name}: {answer.sentence}")
            continue
        yield Part(name, msgspec.json.format(answer.body, indent=1))


def _secrets(
    app_data: str, manifest: Manifest | None, endpoint: Endpoint | None, troubles: list[str]
) -> Mapping[str, str]:
    """Return every value that may stand in a file, by id, and the token."""
    from bundlevisor.actors.secrets.given import all_values

    values = dict(all_values(manifest, app_data, os.environ, troubles.append))
    return values | ({CONTROL_API: endpoint.token} if endpoint and endpoint.token else {})


def _about(parts: Iterable[Part], troubles: list[str], *, live: bool) -> str:
    from bundlevisor.control.wire import version

    names = [f"  {part.name}{' (its end)' if part.cut else ''}" for part in parts]
    left = [f"  {trouble}" for trouble in troubles]
    content = "\n".join(["In it:", *names, *(["Not in it:", *left] if left else [])])
    # The zone by numbers: on Windows time's %z is -0000 where TZ says Europe/Berlin.
    when = datetime.now(UTC).astimezone().isoformat(" ", "seconds")
    asked = ", beside a running instance" if live else ""
    return ABOUT.format(version=version.runtime(), when=when, live=asked, content=content)


def _write(target: str, parts: Iterable[Part], mask: Mask) -> None:
    """Write a file of the user's own, whole or not at all."""
    made = f"{target}.{os.getpid()}"
    try:
        with (
            open(own_file.make(made), "wb") as file,
            zipfile.ZipFile(file, "w") as archive,
        ):
            now = time.localtime()
            for part in parts:
                archive.writestr(entry(part.name, now), mask.apply(part.data))
        own_file.replace(made, target)
    finally:
        if os.path.exists(made):
            own_file.remove(made)


def entry(name: str, now: time.struct_time) -> zipfile.ZipInfo:
    """Return a file's entry of now, as near to it as ZIP comes.

    A machine whose clock has lost its battery is in 1970 until it has been set.
    """
    day, clock = (now.tm_year, now.tm_mon, now.tm_mday), (now.tm_hour, now.tm_min, now.tm_sec)
    made = zipfile.ZipInfo(name, min(max((*day, *clock), EARLIEST), LATEST))
    made.compress_type = zipfile.ZIP_DEFLATED
    made.external_attr = 0o600 << 16
    return made
