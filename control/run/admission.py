"""Whether a bundle may start here: its manifest, its app-data, the limits, and nobody else.

Everything that is refused is told in sentences before a file of the bundle is touched, and nothing
is left of it but an app-data folder.
"""

from __future__ import annotations

import os

from bundlevisor.actors.files import instance_lock, own_file
from bundlevisor.actors.files.instance_lock import Holder, InstanceLock
from bundlevisor.actors.launch import places
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.control.run import limits
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console import Console
from bundlevisor.control.run.options import RunOptions
from bundlevisor.manifest.format import paths, platform
from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read import load

CANNOT_START = 1
BAD_MANIFEST = 2
ALREADY_RUNNING = 3
"""Exit codes of a run that does not take place."""


class Refused(Exception):
    """The start ends here and has said why; ``code`` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def admit(
    options: RunOptions, console: Console, recorder: Recorder, instance_id: str
) -> tuple[Bundle, InstanceLock]:
    """Return the bundle with the lock on its app-data, which the caller releases.

    Waits for an instance that is stopping. Raises Refused; OSError or PathRefused for what no
    sentence of ours foresees.
    """
    loaded = load.read(options.manifest, overlays=options.overlay)
    recorder.mark(milestones.MANIFEST)
    for overlay in options.overlay:
        console.info(f"the bundle is changed by {overlay}")
    _report(console, loaded.findings, options.manifest)
    if loaded.manifest is None:
        raise Refused(BAD_MANIFEST)
    _look_for_root(options, console)
    app_data = _app_data(options, loaded.manifest, console)
    if short := limits.make_room(limits.files_for(loaded.manifest)):
        console.error(f"cannot start: {short}")
        raise Refused(CANNOT_START)
    _make(app_data, console)
    minds_case = platform.minds_case()
    on_disk = places.look(loaded.manifest, app_data, options.root, minds_case=minds_case)
    _report(console, loaded.placed(on_disk), app_data)
    if not on_disk.ok:
        raise Refused(CANNOT_START)
    lock = _lock(app_data, console)
    return Bundle(loaded.manifest, loaded.and_found(on_disk), options, app_data, instance_id), lock


def _look_for_root(options: RunOptions, console: Console) -> None:
    """Refuse a folder that is not there, of which each service would say another file is missing.

    Without the option it is the manifest's, which was read. A dry run tells all that is missing.
    """
    if options.bundle_root and not options.dry_run and not os.path.isdir(options.root):
        do = "name the folder with the bundle's files, or leave the option out for the manifest's"
        console.error(f"cannot start: --bundle-root {options.root} is no folder: {do}")
        raise Refused(CANNOT_START)


def _app_data(options: RunOptions, manifest: Manifest, console: Console) -> str:
    if not options.app_data and (ignored := paths.ignored_home(os.environ)):
        console.warn(ignored)
    chosen = options.app_data or paths.app_data_folder(manifest.app.name, os.environ)
    return os.path.abspath(chosen)


def _make(app_data: str, console: Console) -> None:
    try:
        own_file.make_folder(app_data)
    except OSError as error:
        what = f"it belongs to the app-data folder {app_data}"
        do = "make that writable, or name another folder by --app-data"
        console.error(f"cannot start: {limits.why(error)}; {what}: {do}")
        raise Refused(CANNOT_START) from error


def _lock(app_data: str, console: Console) -> InstanceLock:
    try:
        return instance_lock.take(app_data, lambda holder: console.info(_awaited(holder)))
    except (instance_lock.InstanceRunning, instance_lock.LockUnavailable) as error:
        console.error(str(error))
        running = isinstance(error, instance_lock.InstanceRunning)
        raise Refused(ALREADY_RUNNING if running else CANNOT_START) from error


def _awaited(holder: Holder) -> str:
    return (
        f"waiting for the instance that is stopping (pid {holder.pid}) to end,"
        f" {holder.stopping_s:g} s at most"
    )


def _report(console: Console, findings: Findings, manifest: str) -> None:
    for finding in findings.errors:
        console.error(finding.told(manifest), finding.service)
    for finding in (*findings.service_errors, *findings.warnings):
        console.warn(finding.told(manifest), finding.service)
