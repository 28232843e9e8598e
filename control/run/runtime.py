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

import functools
import gc
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pykka

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.core.collaborators import Collaborators, NoSecrets, Plan
from bundlevisor.actors.core.messages import StartBundle, SystemResumed
from bundlevisor.actors.core.snapshot import Board, Phase, ServiceView, Snapshot
from bundlevisor.actors.files import atomic, endpoint, instance
from bundlevisor.actors.files.instance_lock import InstanceLock
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.logs.pipe_copy import guarded
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.ports.allocator import PortAllocator
from bundlevisor.actors.ports.reservations import PortReservations
from bundlevisor.actors.ports.service_ports import Ports
from bundlevisor.actors.probes.listen_watch import Listening
from bundlevisor.actors.process import table
from bundlevisor.actors.process.children import SOCKET_ACTIVATION
from bundlevisor.actors.process.own_children import know
from bundlevisor.actors.process.parent_watch import watch_parent
from bundlevisor.actors.process.reaping import keep_reaping
from bundlevisor.actors.process.table.rlimit_mark import set_mark
from bundlevisor.actors.service import ServiceActor
from bundlevisor.actors.supervisor import Supervisor
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.actors.telemetry.writer import Telemetry
from bundlevisor.control.boot import early_socket, ipc_socket, lean_imports
from bundlevisor.control.run import limits
from bundlevisor.control.run.admission import ALREADY_RUNNING, CANNOT_START, Refused, admit
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console import Console, open_console
from bundlevisor.control.run.console_events import announce
from bundlevisor.control.run.gpu import Gpu
from bundlevisor.control.run.instance_record import InstanceRecord
from bundlevisor.control.run.limits import shortage, why
from bundlevisor.control.run.options import RunOptions
from bundlevisor.control.run.secret_supply import SecretSupply
from bundlevisor.control.run.shutdown_requests import ShutdownRequests
from bundlevisor.control.run.start_events import tell_start
from bundlevisor.manifest.format import paths

if TYPE_CHECKING:
    from bundlevisor.actors.ports.shortages import Shortage
    from bundlevisor.actors.prepare.migration_record import Migrations
    from bundlevisor.actors.prepare.stores import Stores
    from bundlevisor.actors.secrets.vault import Vault
    from bundlevisor.control.run.api_host import Api
    from bundlevisor.control.run.lock_keeper import LockKeeper
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
        return Runtime(bundle, console, guardian, recorder, lock, follow).live(parent)
    finally:
        lock.release()


class Runtime:
    """Everything that is up while a bundle runs. Built in order, taken down in reverse."""

    def __init__(
        self,
        bundle: Bundle,
        console: Console,
        guardian: Guardian,
        recorder: Recorder,
        lock: InstanceLock,
        follow: Callable[..., None],
    ) -> None:
        self._follow = follow
        self.bundle = bundle
        self.lock = lock
        self.recorder = recorder
        self.console = console
        self.guardian = guardian
        self.ending = ShutdownRequests()
        self.spare = limits.SpareFiles()
        self.supervisor: pykka.ActorRef[Any] | None = None
        self.api: Api | None = None
        self._first_spawn = threading.Event()
        self._set_aside_early: list[str] = []
        self.secrets = SecretSupply(bundle, console.warn, self.emit)
        self.socket = ipc_socket.listen(bundle.manifest.ipc.host, bundle.manifest.ipc.port)
        self.host, self.port = self.socket.getsockname()[:2]
        recorder.mark(milestones.SOCKET)

    def live(self, parent: int) -> int:
        """Start everything, wait for the end, stop everything; return the exit code."""
        self.ending.hear_signals()
        know(self.guardian.pid)
        set_mark(os.getpid(), table.created(os.getpid()) or 0.0, self.bundle.instance_id)
        self._sweep()
        for folder in (self.bundle.app_data, os.path.dirname(instance.path(self.bundle.app_data))):
            atomic.remove_half_written(folder)
        self.secrets.begin()
        self._open_files()
        self._open_edges(parent)
        self._start_services()
        threading.Thread(target=self._serve, name="api", daemon=True).start()
        request = self.ending.wait()
        if request.code:
            self.console.error(request.reason)
        self.spare.release()
        from bundlevisor.control.run.teardown import take_down

        take_down(self.parts, request.reason, self._stop_api)
        return request.code

    @functools.cached_property
    def parts(self) -> Parts:
        """All of it, once it is built; for what comes after the start."""
        from bundlevisor.control.run.parts import Parts

        return Parts(
            bundle=self.bundle,
            lock=self.lock,
            recorder=self.recorder,
            console=self.console,
            guardian=self.guardian,
            ending=self.ending,
            secrets=self.secrets,
            socket=self.socket,
            host=self.host,
            port=self.port,
            token=self.token,
            telemetry=self.telemetry,
            register=self.register,
            reserved=self.reserved,
            world=self.world,
            gpu=self.gpu,
            blueprints=self.blueprints,
            board=self.board,
            supervisor=self.supervisor,
            emit=self.emit,
            set_aside=self.set_aside,
            tell_news=self.tell_news,
        )

    def _stop_api(self) -> None:
        if self.api is not None:
            self.api.server.stop(1.0)

    def _sweep(self) -> None:
        if not os.path.lexists(instance.path(self.bundle.app_data)):
            return
        from bundlevisor.actors.process.sweep import sweep

        swept = sweep(self.bundle.app_data, self._set_aside_early.append)
        if swept is not None and swept.found:
            self.console.warn(
                f"an earlier instance ({swept.instance_id}) left {swept.found} processes; "
                f"{swept.stopped} stopped, {swept.killed} were killed"
            )

    def _open_files(self) -> None:
        self.token = endpoint.new_token()
        self._write_files()
        self._say_listening()

    def _write_files(self) -> None:
        """Write the files by which this instance is found, for the guardian to remove."""
        bundle = self.bundle
        endpoint.write_token(bundle.token_path, self.token)
        self.guardian.own(bundle.token_path)
        endpoint.write_port(bundle.app_data, self.port)
        self.guardian.telemetry(bundle.telemetry_path)
        self.guardian.own(endpoint.port_path(bundle.app_data))
        self.guardian.own(instance.path(bundle.app_data), containing=bundle.instance_id.encode())

    def _say_listening(self) -> None:
        self.console.tell_parent(
            {
                "event": "listening",
                "host": self.host,
                "port": self.port,
                "pid": os.getpid(),
                "token_path": self.bundle.token_path,
                "instance_id": self.bundle.instance_id,
            }
        )

    def _open_edges(self, parent: int) -> None:
        bundle, console = self.bundle, self.console
        self.telemetry = Telemetry(bundle.telemetry_path, console.warn)
        for reason in self._set_aside_early:
            self.set_aside(reason)
        self.loop = Loop("events", console.fault, on_resume=self._resumed, on_slow=self._slow)
        self.log_loop = Loop("logs", console.fault)
        self.loop.start()
        self.log_loop.start()
        self.register = InstanceRecord(
            self.guardian,
            bundle.app_data,
            bundle.record(self.host, self.port),
            console.warn,
            self._look_after_lock,
        )
        self.guardian.attach(self.loop, self._guardian_news)
        self.reserved = PortReservations()
        self.world = ServiceContext(
            loop=self.loop,
            log_loop=self.log_loop,
            passage=guarded(lambda: self.guardian.inflight, console.warn),
            listening=Listening(self.loop),
            emit=self.emit,
            fault=console.fault,
            warn=console.warn,
            guardian=self.register,
            reserved=self.reserved,
            open_stores=self._open_stores,
            mark=self._mark,
            has_snapshots=os.path.isdir(os.path.join(bundle.app_data, "snapshots")),
        )
        if not bundle.options.keep_running:
            watch_parent(self.loop, parent, self.ending.ask)

    def _look_after_lock(self) -> None:
        self._lock_keeper.look()

    @functools.cached_property
    def _lock_keeper(self) -> LockKeeper:
        from bundlevisor.control.run.lock_keeper import LockKeeper

        return LockKeeper(
            self.lock,
            restore=self._restore_files,
            warn=self.console.warn,
            give_up=lambda reason: self.ending.ask(reason, ALREADY_RUNNING),
        )

    def _restore_files(self) -> None:
        self._write_files()
        self.register.write_again()
        self.emit("app_data_removed", None, folder=self.bundle.app_data)

    def _open_stores(self) -> Stores:
        """Open what preparations remember; only bundles with assets or migrations come here."""
        from bundlevisor.actors.prepare.stores import open_stores

        bundle = self.bundle
        full = bundle.options.verify == "full"
        stores: Stores = open_stores(
            bundle.manifest, bundle.app_data, report=self.set_aside, verify_all=full
        )
        self.tell_news(stores.migrations)
        return stores

    def tell_news(self, migrations: Migrations) -> None:
        """Tell what the record of migrations found when it was opened."""
        for event, details in migrations.news():
            self.emit(event, None, **details)

    def _start_services(self) -> None:
        bundle = self.bundle
        manifest = bundle.manifest
        tell_start(self.emit, bundle, self.port)
        self.gpu = Gpu(manifest, self.emit, self.console.warn)
        book = PortAllocator(
            manifest,
            bundle.app_data,
            self.port,
            self.reserved,
            self.console.warn,
            self.set_aside,
        )
        ports, shortages = book.choose()
        self.recorder.mark(milestones.PORTS)
        self.blueprints = bundle.blueprints()
        if not SOCKET_ACTIVATION:
            bundle.warn_of_sockets(self.console.warn)
        if bundle.options.dry_run:
            self._pretend(ports)
        else:
            self._supervise(book, ports, shortages)

    def _pretend(self, ports: Ports) -> None:
        """Show every service as ready, with the ports that it would have; start none."""
        self.reserved.release_all()
        self._first_spawn.set()
        self.console.info(
            "dry run: no service is started (use 'bundlevisor run', or --dry-run=false)"
        )
        self._show(self.bundle.first_views(ports, dry_run=True))

    def _supervise(self, book: PortAllocator, ports: Ports, shortages: dict[str, Shortage]) -> None:
        """Start the supervisor, and by it every service that waits for no other."""
        bundle = self.bundle
        manifest = bundle.manifest
        self._show(bundle.first_views({}, dry_run=False))
        unusable = self.gpu.unusable | {
            finding.service: finding.message for finding in bundle.loaded.findings.service_errors
        }
        collaborators = Collaborators(
            board=self.board,
            emit=self.emit,
            fault=self.console.fault,
            spawn_actor=self._spawn_actor,
            chooser=book,
            vault=self._secrets_of(ports) if manifest.secrets else NoSecrets(),
        )
        self.supervisor = Supervisor.start(
            Plan(manifest, bundle.graph, ports, unusable, self.gpu.presence.available, shortages),
            collaborators,
            self.loop,
        )
        self.supervisor.tell(StartBundle())
        # behind the starts that this message leads to: there may be nothing to spawn
        self.loop.call_soon(lambda: self.loop.call_soon(self._first_spawn.set))
        if manifest.secrets:
            self.secrets.settle(self.supervisor)
        if ports:
            book.remember(ports)

    def _show(self, views: dict[str, ServiceView]) -> None:
        self.board = Board(Snapshot(version=1, phase=Phase.RUNNING, services=views))

    def _secrets_of(self, ports: Ports) -> Vault:
        return self.secrets.prepare(self.blueprints.values(), ports)

    def _spawn_actor(
        self,
        service_id: str,
        supervisor: pykka.ActorRef[Any],
        child: Any = None,
        incarnation: int = 0,
    ) -> pykka.ActorRef[Any]:
        try:
            return ServiceActor.start(
                self.blueprints[service_id], self.world, supervisor, child, incarnation
            )
        except (OSError, RuntimeError, MemoryError) as error:  # no thread for it
            self.ending.ask(f"cannot start '{service_id}': {why(error)}", CANNOT_START)
            raise

    def _serve(self) -> None:
        """Import the heavy part and answer; until then connections wait in the backlog."""
        try:
            self._first_spawn.wait()
            self.guardian.keep_reserve()
            keep_reaping(self.loop)
            lean_imports.import_waitress()
            from bundlevisor.control.run.api_host import Api

            self.api = Api(self.parts)
            self.api.server.start()
            self.recorder.mark(milestones.API)
            gc.freeze()  # what is there by now stays, and need not be looked at each time
            gc.enable()
            if self.bundle.options.watch:
                from bundlevisor.control.run import watching

                watching.begin(self.parts)
            if self.console.human:
                shown = self.console, self.board, self.api.progress.measure
                threading.Thread(target=self._follow, args=shown, daemon=True).start()
            self._hold_code()
            self.gpu.ask_for_details(self.board)
            if self.supervisor is not None:
                from bundlevisor.control.run.version_record import note_version

                if not self.board.snapshot.ready:
                    self.api.progress.learn(self.api.start_record.usual(self.set_aside))
                note_version(self.parts)
                self.api.start_record.keep(self.emit, self.console.warn)
        except Exception as error:  # noqa: BLE001 - without an API nobody could stop us: end
            reason = shortage(error) or "its log has the details"
            self.ending.ask(f"the control API could not be started: {reason}", CANNOT_START)
            self.console.fault("control API", error)
            self.emit("runtime_error", None, error=f"control API: {error}")

    def _hold_code(self) -> None:
        """From now on nothing that this needs is looked for on the disk: it may be gone."""
        try:
            from bundlevisor.control.run import kept_modules

            kept_modules.keep(self.guardian)
        except Exception as error:  # noqa: BLE001 - all goes on as long as the files are there
            self.console.fault("holding the program in memory", error)

    def _mark(self, what: str, service_id: str) -> None:
        self.recorder.mark(what, service_id)
        self._first_spawn.set()

    def set_aside(self, reason: str) -> None:
        """Tell of a file that was of no use."""
        self.emit("state_set_aside", None, reason=reason)

    def _guardian_news(self, event: str, details: dict[str, object]) -> None:
        self.register.write_again()
        self.emit(event, None, **details)

    def _slow(self, what: str, seconds: float) -> None:
        self.emit("slow_turn", None, what=what, ms=round(seconds * 1000))

    def _resumed(self, seconds: float) -> None:
        if self.supervisor is not None:
            self.supervisor.tell(SystemResumed(seconds))

    def emit(self, event: str, service_id: str | None = None, **details: object) -> None:
        """Write a telemetry event, and say on the console what a person wants to know of it."""
        self.telemetry.emit(event, service_id, **details)
        announce(self.console, event, service_id or "", details)
        if event == "service_ready" and service_id and self.blueprints[service_id].page:
            port = next(iter(self.board.snapshot.services[service_id].ports.values()), 0)
            self.console.info(f"open http://127.0.0.1:{port}/", service_id)
