"""The first half of a start: all that a shell waits for, and nothing of what services need.

When it is over the instance can be found and asked: it holds the lock, token and port stand in
their files, and ``/healthz`` is answered. The second half is in control/run/assembly.py.
"""

from __future__ import annotations

import os
import socket
from contextlib import AbstractContextManager, nullcontext

import msgspec

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.snapshot import Phase, Snapshot
from bundlevisor.actors.files import atomic, instance
from bundlevisor.actors.files.instance_lock import InstanceLock
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import table
from bundlevisor.actors.process.own_children import register, register_present
from bundlevisor.actors.process.table.rlimit_mark import set_mark
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.control.boot import ipc_socket
from bundlevisor.control.http.early_health import EarlyHealth
from bundlevisor.control.http.health_words import HealthWords
from bundlevisor.control.run import resource_limits
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console import Console
from bundlevisor.control.run.endpoint_files import EndpointFiles
from bundlevisor.control.run.shutdown_requests import ShutdownRequests


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What is there before anything of a service is."""

    bundle: Bundle
    lock: InstanceLock
    recorder: Recorder
    console: Console
    guardian: Guardian
    ending: ShutdownRequests
    spare: resource_limits.SpareFiles
    socket: socket.socket
    """The control API's, which listens."""
    endpoint: EndpointFiles
    board: Board
    loop: Loop
    """The events': actors, timers, probes, and ``/healthz`` until the server is there."""
    early_health: EarlyHealth
    set_aside: tuple[str, ...]
    """What is to be told of files that were of no use."""


def open_up(
    bundle: Bundle,
    lock: InstanceLock,
    console: Console,
    guardian: Guardian,
    recorder: Recorder,
    parent: int,
) -> Opening:
    """Clear up what an earlier instance left, and be there to be found; ``parent`` started us."""
    ending, spare = ShutdownRequests(), resource_limits.SpareFiles()
    listener = ipc_socket.listen(bundle.manifest.ipc.host, bundle.manifest.ipc.port)
    recorder.mark(milestones.SOCKET)
    set_aside = _clean_up(bundle, console, guardian, lock, parent)
    ending.hear_signals()  # not before: who waits for an earlier guardian ends at once
    endpoint = EndpointFiles(bundle, guardian, *listener.getsockname()[:2])
    endpoint.write()
    endpoint.say_listening(console)
    views = bundle.first_views({}, dry_run=False)
    board = Board(Snapshot(version=1, phase=Phase.RUNNING, services=views))
    loop = Loop("events", console.fault)
    loop.start()
    early_health = EarlyHealth(loop, listener, HealthWords(board))
    early_health.begin()
    return Opening(
        bundle=bundle,
        lock=lock,
        recorder=recorder,
        console=console,
        guardian=guardian,
        ending=ending,
        spare=spare,
        socket=listener,
        endpoint=endpoint,
        board=board,
        loop=loop,
        early_health=early_health,
        set_aside=set_aside,
    )


def _clean_up(
    bundle: Bundle, console: Console, guardian: Guardian, lock: InstanceLock, parent: int
) -> tuple[str, ...]:
    """End what an earlier instance left; return what is to be told of files of no use.

    What this one starts can be told from what others left by then.
    """
    register(guardian.pid)
    register_present()
    set_mark(os.getpid(), table.created(os.getpid()) or 0.0, bundle.instance_id)
    set_aside: list[str] = []
    if os.path.lexists(instance.path(bundle.app_data)):
        from bundlevisor.actors.process.sweep import sweep

        with _as_long_as_wanted(bundle, parent):
            swept = sweep(bundle.app_data, set_aside.append, console.info)
        if swept is not None and swept.found:
            console.warn(
                f"an earlier instance ({swept.instance_id}) left {swept.found} processes; "
                f"{swept.stopped} stopped, {swept.killed} were killed"
            )
    elif (before := lock.before.guardian) is not None and table.may_be_alive(*before):
        from bundlevisor.actors.process.sweep import await_guardian

        with _as_long_as_wanted(bundle, parent):
            await_guardian(*before, console.info)
    lock.say_guarded(*guardian.in_order()[0])
    token_folder, token = os.path.split(bundle.token_path)
    for folder in (bundle.app_data, os.path.dirname(instance.path(bundle.app_data))):
        atomic.remove_half_written(folder)
    atomic.remove_half_written(token_folder, of=token)
    return tuple(set_aside)


def _as_long_as_wanted(bundle: Bundle, parent: int) -> AbstractContextManager[None]:
    """Return a block in which we end with the parent: the lock is free for who is started next."""
    if bundle.options.keep_running:
        return nullcontext()
    from bundlevisor.actors.process.parent_watch import ending_with

    return ending_with(parent)
