"""The composition root: what happens in which order from exec to the end, on one page.

1. the guardian is forked, before any thread and any heavy import
2. the manifest is read and checked; the instance lock is taken before a file is touched
3. the control socket listens; what an earlier instance left is ended; token and port files are
   written and the shell is told, so that whoever waits for them is never refused; ``/healthz`` is
   answered (control/run/opening.py)
4. what services need is imported; ports are chosen, the supervisor starts, services without
   dependencies are spawned (control/run/assembly.py)
5. waitress is imported (control/run/api_import.py) and serves (control/run/api_host.py), beside
   the booting services; Falcon comes with the first request that needs it
   (control/http/late_application.py)
6. the main thread waits for a reason to end, and then all this is undone in reverse
   (control/run/teardown.py)

Nothing slow may be imported before 5, and of services nothing before 4; a test lists the modules.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from bundlevisor.actors.files import instance
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.stand_ins import for_run
from bundlevisor.actors.telemetry import milestones
from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.control.boot import early_socket, straight_import
from bundlevisor.control.run.admission import StartRefused, admit
from bundlevisor.control.run.console import Console, open_console
from bundlevisor.control.run.opening import open_up
from bundlevisor.control.run.options import RunOptions
from bundlevisor.control.run.resource_limits import shortage, why
from bundlevisor.control.wire.exit_codes import NO
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
    first_line: tuple[float, float],
    socket_at: float,
    follow: Callable[..., None],
) -> int:
    """Run a bundle until somebody asks for its end; return the code of control/wire/exit_codes.py.

    ``first_line`` is when our first line was run, and how much processor time had been used by
    then; ``socket_at`` when the control port was listened on, if it was by then; both on the
    monotonic clock, in seconds. ``follow(console, board, measure)`` shows a person how far the
    start is, until it is over.
    """
    sys.setswitchinterval(HANDED_ON)
    recorder = Recorder(*first_line)
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
        return NO  # the guardian is not dismissed: it undoes what has been done
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
        bundle, lock = admit(options, console, recorder, guardian.instance_id, parent)
    except StartRefused as refused:
        if refused.app_data and instance.peek(refused.app_data) is None:
            _leave_word(refused.app_data, refused.code, str(refused))
        guardian.dismiss()
        return refused.code
    try:
        opened = open_up(bundle, lock, console, guardian, recorder, parent)
        for_run.import_for_services()
        straight_import.import_part(straight_import.SERVICES)
        from bundlevisor.control.run.assembly import assemble

        return Runtime(assemble(opened, parent)).live(follow)
    except Exception as error:
        _leave_word(bundle.app_data, NO, f"cannot start: {why(error)}")
        raise
    finally:
        lock.release()


def _leave_word(app_data: str, code: int, reason: str) -> None:
    """Tell those who wait for this instance that it ends, as far as there is anything left for it.

    Best effort: what ends the start (files, memory) may be lacking for this, too.
    """
    with suppress(OSError, ImportError, MemoryError):
        from bundlevisor.actors.files import last_end

        last_end.write(app_data, code, reason)


class Runtime:
    """A bundle that runs: all of it is up, but for the API, which comes beside it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._api: Api | None = None
        self._is_ending = threading.Event()

    def live(self, follow: Callable[..., None]) -> int:
        """Bring up the API, wait for a reason to end, take everything down; the exit code."""
        parts = self._parts
        threading.Thread(target=self._serve, args=(follow,), name="api", daemon=True).start()
        request = parts.ending.wait()
        self._is_ending.set()
        if self._api is not None:
            self._api.make_way()
        if request.code:
            parts.console.error(request.reason)
        parts.spare.release()
        from bundlevisor.control.run.teardown import take_down

        take_down(parts, request, self._stop_api)
        return request.code

    def _stop_api(self) -> None:
        if self._api is not None:
            self._api.stop()

    def _serve(self, follow: Callable[..., None]) -> None:
        """Import the heavy part and answer; until then connections wait in the backlog."""
        parts = self._parts
        try:
            parts.edges.launched.wait()
            parts.guardian.keep_reserve()
            from bundlevisor.actors.process.reaping import keep_reaping

            keep_reaping(parts.loop)
            from bundlevisor.control.run.api_import import import_api

            import_api(parts.loop, parts.board, parts.early_health.wanted)
            from bundlevisor.control.run.api_host import Api

            self._api = Api(parts)
            self._api.server.start()
            parts.recorder.mark(milestones.API)
            gc.freeze()  # what is there by now stays, and need not be looked at each time
            gc.enable()
        except Exception as error:  # noqa: BLE001 - without an API nobody could stop us: end
            if self._is_ending.is_set():
                return  # what it is made of is being taken down meanwhile
            reason = shortage(error) or "its log has the details"
            parts.ending.ask(f"the control API could not be started: {reason}", NO)
            parts.console.fault("control API", error)
            parts.announcer.emit("runtime_error", None, error=f"control API: {error}")
        else:
            self._api.go_on_beside(follow)
