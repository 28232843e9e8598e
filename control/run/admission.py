"""Whether a bundle may start here: its manifest, its app-data, the limits, and nobody else.

Everything that is refused is told in sentences before a file of the bundle is touched, and nothing
is left of it but an app-data folder with word of it (:mod:`bundlevisor.actors.files.last_end`).
"""

from __future__ import annotations

import os
from contextlib import ExitStack

from bundlevisor.actors.files import instance, instance_lock, own_file
from bundlevisor.actors.files.instance_lock import Holder, InstanceLock
from bundlevisor.actors.launch import places
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.control.run import resource_limits
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console import Console
from bundlevisor.control.run.options import RunOptions
from bundlevisor.control.wire.exit_codes import HELD, NO, USAGE
from bundlevisor.manifest.format import paths, platform
from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read import load


class StartRefused(Exception):
    """The start ends here and has said why; ``code`` is the exit code.

    ``app_data`` is the folder in which word of it may be left; empty for none.
    """

    def __init__(self, code: int, reason: str, app_data: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.app_data = app_data


def admit(
    options: RunOptions, console: Console, recorder: Recorder, instance_id: str, parent: int
) -> tuple[Bundle, InstanceLock]:
    """Return the bundle with the lock on its app-data, which the caller releases.

    Waits for an instance that is stopping, as long as ``parent`` lives. Raises StartRefused;
    OSError or PathRefused for what no sentence of ours foresees.
    """
    loaded = load.read(options.manifest, overlays=options.overlay)
    recorder.mark(milestones.MANIFEST)
    for overlay in options.overlay:
        console.info(f"the bundle is changed by {overlay}")
    _report(console, loaded.findings, options.manifest)
    if loaded.manifest is None:
        named = os.path.abspath(options.app_data) if options.app_data else ""
        first = loaded.findings.errors[0].told(options.manifest)
        raise StartRefused(USAGE, first, named)
    app_data = _app_data(options, loaded.manifest, console)
    _look_for_root(options, app_data, console)
    if short := resource_limits.make_room(resource_limits.files_for(loaded.manifest)):
        raise _cannot_start(short, app_data, console)
    _make(app_data, console)
    minds_case = platform.minds_case()
    on_disk = places.look(loaded.manifest, app_data, options.root, minds_case=minds_case)
    _report(console, loaded.placed(on_disk), app_data)
    if not on_disk.ok:
        raise StartRefused(NO, on_disk.errors[0].told(app_data), app_data)
    lock = _lock(app_data, console, None if options.keep_running else parent)
    instance.forget_end(app_data)
    return Bundle(loaded.manifest, loaded.and_found(on_disk), options, app_data, instance_id), lock


def _cannot_start(why: str, app_data: str, console: Console) -> StartRefused:
    """Say it; return what is to be raised."""
    console.error(f"cannot start: {why}")
    return StartRefused(NO, f"cannot start: {why}", app_data)


def _look_for_root(options: RunOptions, app_data: str, console: Console) -> None:
    """Refuse a folder that is not there, of which each service would say another file is missing.

    Without the option it is the manifest's, which was read. A dry run tells all that is missing.
    """
    if options.bundle_root and not options.dry_run and not os.path.isdir(options.root):
        do = "name the folder with the bundle's files, or leave the option out for the manifest's"
        raise _cannot_start(f"--bundle-root {options.root} is no folder: {do}", app_data, console)


def _app_data(options: RunOptions, manifest: Manifest, console: Console) -> str:
    if not options.app_data and (ignored := paths.ignored_home(os.environ)):
        console.warn(ignored)
    chosen = options.app_data or paths.app_data_folder(manifest.app.name, os.environ)
    return os.path.abspath(chosen)


def _make(app_data: str, console: Console) -> None:
    if os.path.dirname(app_data) == app_data:
        why = f"--app-data {app_data} is the root of a file system: name a folder in it"
        raise _cannot_start(why, "", console)
    try:
        own_file.make_folder(app_data)
    except OSError as error:
        what = f"it belongs to the app-data folder {app_data}"
        writable = "make that writable, or name another folder by --app-data"
        do = instance_lock.REMEDIES.get(error.errno or 0, writable)
        raise _cannot_start(f"{resource_limits.why(error)}; {what}: {do}", "", console) from error


def _lock(app_data: str, console: Console, parent: int | None) -> InstanceLock:
    """``parent``: who has to live while it is waited for, or it is left to who is started next."""
    waiting = ExitStack()

    def announce(holder: Holder) -> None:
        console.info(_awaited(holder))
        if parent is not None:
            from bundlevisor.actors.process.parent_watch import ending_with

            waiting.enter_context(ending_with(parent))

    try:
        with waiting:
            return instance_lock.take(app_data, announce)
    except instance_lock.InstanceRunning as error:
        where = f'--app-data "{app_data}"'  # on macOS the usual one has a blank in it
        do = f"see it: bundlevisor status {where}; stop it: bundlevisor shutdown {where}"
        console.error(f"{error}; {do}")
        raise StartRefused(HELD, str(error)) from error
    except instance_lock.LockUnavailable as error:
        console.error(str(error))
        raise StartRefused(NO, str(error), app_data) from error


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
