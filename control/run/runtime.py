"""The composition root: what happens in which order from exec to the end, on one page.

1. the guardian is forked, before any thread and any heavy import
2. the manifest is read and checked; the instance lock is taken before a file is touched
3. the control socket listens; what an earlier instance left is ended; token and port files are
   written and the shell is told, so that whoever waits for them is never refused
4. ports are chosen, the supervisor starts, services without dependencies are spawned
5. waitress is imported and serves (control/run/api_host.py), beside the booting services; Falcon
   comes with the first request that needs it (control/http/late_application.py)
6. the main thread waits for a reason to end, and then all this is undone in reverse
   (control/run/teardown.py)

Nothing slow may be imported before 5; a test lists the modules that are.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.core.snapshot import Board, Phase, Snapshot
from bundlevisor.actors.files import atomic, instance
from bundlevisor.actors.files.instance_lock import InstanceLock
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.process import table
from bundlevisor.actors.process.own_children import know
from bundlevisor.actors.process.parent_watch import watch_parent
from bundlevisor.actors.process.reaping import keep_reaping
from bundlevisor.actors.process.table.rlimit_mark import set_mark
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.actors.telemetry.writer import Telemetry
from bundlevisor.control.boot import early_socket, ipc_socket
from bundlevisor.control.run import limits
from bundlevisor.control.run.admission import CANNOT_START, Refused, admit
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.bundle_start import BundleStart
from bundlevisor.control.run.console import Console, open_console
from bundlevisor.control.run.console_events import Announcer
from bundlevisor.control.run.edges import open_edges
from bundlevisor.control.run.endpoint_files import EndpointFiles
from bundlevisor.control.run.limits import shortage, why
from bundlevisor.control.run.options import RunOptions
from bundlevisor.control.run.secret_supply import SecretSupply
from bundlevisor.control.run.shutdown_requests import ShutdownRequests
from bundlevisor.manifest.format import paths

if TYPE_CHECKING:
    from bundlevisor.control.run.api_host import Api
    from bundlevisor.control.run.parts import Parts

HANDED_ON = 0.00005
"""Seconds that a thread may keep the interpreter while another waits for it. At Python's 5 ms,
eight clients at once wait twice as long at p99 (measured)."""


def run(
    options: RunOptions,
    guardian: Guardian,
    interpreter_at: float,
    socket_at: float,
    follow: Callable[..., None],
) -> int:
    """Run a bundle until somebody asks for its end; return the exit code (README, 'Exit codes').

    ``interpreter_at`` is when our first line was run, ``socket_at`` when the control port was
    listened on, if it was by then; both on the monotonic clock. ``follow(console, board, measure)``
    shows a person how far the start is, until it is over.
    """
    sys.setswitchinterval(HANDED_ON)
    recorder = Recorder(interpreter_at)
    if early_socket.is_listening():
        recorder.mark(milestones.SOCKET, at=socket_at)
    parent = os.getppid()
    console = open_console()
    try:
        return _run(options, console, guardian, parent, recorder, follow)
    except Exception as error:  # noqa: BLE001 - printed by the interpreter, it could wait for ever
        if isinstance(error, OSError | paths.PathRefused) or shortage(error):
            console.error(f"cannot start: {why(error)}")
        else:
            console.fault("runtime", error)
        return CANNOT_START  # the guardian is not dismissed: it undoes what has been done
    finally:
        console.close()


def _run(
    options: RunOptions,
    console: Console,
    guardian: Guardian,
    parent: int,
    recorder: Recorder,
    follow: Callable[..., None],
) -> int:
    try:
        bundle, lock = admit(options, console, recorder, guardian.instance_id)
    except Refused as refused:
        guardian.dismiss()
        return refused.code
    try:
        return build(bundle, lock, console, guardian, recorder, parent).live(follow)
    finally:
        lock.release()


def build(
    bundle: Bundle,
    lock: InstanceLock,
    console: Console,
    guardian: Guardian,
    recorder: Recorder,
    parent: int,
) -> Runtime:
    """Build everything in order, up to the services that wait for nothing."""
    ending, spare = ShutdownRequests(), limits.SpareFiles()
    socket = ipc_socket.listen(bundle.manifest.ipc.host, bundle.manifest.ipc.port)
    recorder.mark(milestones.SOCKET)
    ending.hear_signals()
    set_aside = _clean_up(bundle, console, guardian)
    secrets = SecretSupply(bundle, console.warn)
    secrets.begin()
    endpoint = EndpointFiles(bundle, guardian, *socket.getsockname()[:2])
    endpoint.write()
    endpoint.say_listening(console)
    blueprints = bundle.blueprints()
    views = bundle.first_views({}, dry_run=False)
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services=views))
    telemetry = Telemetry(bundle.telemetry_path, console.warn)
    announcer = Announcer(console, telemetry, board, blueprints)
    for reason in set_aside:
        announcer.set_aside(reason)
    edges = open_edges(bundle, console, guardian, endpoint, announcer, lock, ending, recorder)
    if not bundle.options.keep_running:
        watch_parent(edges.loop, parent, ending.ask)
    start = BundleStart(bundle, blueprints, board, console, announcer, edges, secrets, ending)
    gpu, supervisor = start.begin(endpoint.port, recorder)
    from bundlevisor.control.run.parts import Parts

    parts = Parts(
        bundle=bundle,
        lock=lock,
        recorder=recorder,
        console=console,
        guardian=guardian,
        ending=ending,
        spare=spare,
        secrets=secrets,
        socket=socket,
        endpoint=endpoint,
        telemetry=telemetry,
        announcer=announcer,
        edges=edges,
        gpu=gpu,
        blueprints=blueprints,
        board=board,
        supervisor=supervisor,
    )
    return Runtime(parts)


def _clean_up(bundle: Bundle, console: Console, guardian: Guardian) -> list[str]:
    """End what an earlier instance left; return what is to be told of files of no use.

    What this one starts can be told from what others left by then.
    """
    know(guardian.pid)
    set_mark(os.getpid(), table.created(os.getpid()) or 0.0, bundle.instance_id)
    set_aside: list[str] = []
    if os.path.lexists(instance.path(bundle.app_data)):
        from bundlevisor.actors.process.sweep import sweep

        swept = sweep(bundle.app_data, set_aside.append)
        if swept is not None and swept.found:
            console.warn(
                f"an earlier instance ({swept.instance_id}) left {swept.found} processes; "
                f"{swept.stopped} stopped, {swept.killed} were killed"
            )
    for folder in (bundle.app_data, os.path.dirname(instance.path(bundle.app_data))):
        atomic.remove_half_written(folder)
    return set_aside


class Runtime:
    """A bundle that runs: all of it is up, but for the API, which comes beside it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._api: Api | None = None

    def live(self, follow: Callable[..., None]) -> int:
        """Bring up the API, wait for a reason to end, take everything down; the exit code."""
        parts = self._parts
        threading.Thread(target=self._serve, args=(follow,), name="api", daemon=True).start()
        request = parts.ending.wait()
        if request.code:
            parts.console.error(request.reason)
        parts.spare.release()
        from bundlevisor.control.run.teardown import take_down

        take_down(parts, request.reason, self._stop_api)
        return request.code

    def _stop_api(self) -> None:
        if self._api is not None:
            self._api.server.stop(1.0)

    def _serve(self, follow: Callable[..., None]) -> None:
        """Import the heavy part and answer; until then connections wait in the backlog."""
        parts = self._parts
        try:
            parts.edges.first_spawn.wait()
            parts.guardian.keep_reserve()
            keep_reaping(parts.edges.loop)
            from bundlevisor.control.boot.stand_ins import for_api

            for_api.import_waitress()
            from bundlevisor.control.run.api_host import Api

            self._api = Api(parts)
            self._api.server.start()
            parts.recorder.mark(milestones.API)
            gc.freeze()  # what is there by now stays, and need not be looked at each time
            gc.enable()
            self._api.go_on_beside(follow)
        except Exception as error:  # noqa: BLE001 - without an API nobody could stop us: end
            reason = shortage(error) or "its log has the details"
            parts.ending.ask(f"the control API could not be started: {reason}", CANNOT_START)
            parts.console.fault("control API", error)
            parts.announcer.emit("runtime_error", None, error=f"control API: {error}")
